"""What the environment says: LUMBAR_ variables, typed; a wrong or unknown one stops the start with one line.

The embedded shape needs none of them. The variables of the distributed shape are refused until it exists.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared import failpoints

PREFIX = "LUMBAR_"
_DISTRIBUTED = ("KAFKA_BOOTSTRAP", "TRANSPORT", "ISSUER", "REPLICA")
_MAIL_SCHEMES = ("smtp", "smtps", "smtp+starttls")
_SECRET = ("smtp_url",)
_OF_TESTS = ("KILLS", "SEED", "REQUIRE_KAFKA", "FAILPOINT")


class SettingsError(Exception):
    """A setting is wrong; the text is one line that names it and says what is allowed."""


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be an address that begins with http:// or https://")
    return text.rstrip("/")


def _mail_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in _MAIL_SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        schemes = ", ".join(f"{scheme}://" for scheme in _MAIL_SCHEMES)
        raise ValueError(f"must be an address that begins with {schemes} and goes on with host:port")
    return text


class Settings(BaseSettings):
    """The settings of one process.

    `data` is the data folder, `url` the public address of the clinic (which one a command talks to, and what
    `lumbar up` calls itself), `clinic` another clinic.yaml than the example, `smtp_url` where e-mail goes.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Path(".lumbar")
    url: Annotated[str, AfterValidator(_web_address)] | None = None
    clinic: Path | None = None
    smtp_url: Annotated[str, AfterValidator(_mail_address)] | None = None
    trace_ratio: float = Field(default=0.01, ge=0, le=1)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: object,
        **__: object,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load_settings` alone, which has looked at all the names first."""
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises SettingsError for the first that is wrong, unknown or does not fit."""
    environment = os.environ if environment is None else environment
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text}
    values = {}
    for name, text in sorted(given.items()):
        member = name.removeprefix(PREFIX)
        _refuse_distributed(name, member)
        if member.startswith("TEST_") or member in _OF_TESTS:
            _check_failpoint(name, text)
            continue
        if member.lower() not in Settings.model_fields:
            known = ", ".join(f"{PREFIX}{field.upper()}" for field in Settings.model_fields)
            raise SettingsError(f"{name}: there is no such setting; allowed are {known}")
        values[member.lower()] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        given_text = "" if name in _SECRET else f", not {first['input']!r}"
        raise SettingsError(f"{PREFIX}{name.upper()}: {_said(first['msg'])}{given_text}") from error


def _refuse_distributed(name: str, member: str) -> None:
    if member in _DISTRIBUTED or member.endswith("_DATABASE_URL"):
        raise SettingsError(
            f"{name}: belongs to the distributed shape, which this version does not have; unset it"
        )


def _check_failpoint(name: str, text: str) -> None:
    if name == failpoints.VARIABLE:
        try:
            failpoints.check(text)
        except failpoints.NoSuchPoint as error:
            raise SettingsError(f"{name}: {error}") from error


def _said(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
