"""What the environment says: LUMBAR_ variables, typed; a wrong or unknown one stops the start with one line.

The embedded shape needs none of them; deploy/shape.py says which ones a process of the distributed shape
needs and how they must fit.
"""

import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared import failpoints
from shared.errors import OneLine

PREFIX = "LUMBAR_"
DEFAULT_URL = "http://127.0.0.1:8080"
_MAIL_SCHEMES = ("smtp", "smtps", "smtp+starttls")
_SECRET = ("smtp_url", "sms_url", "kafka_password", "sign_in_secret", "portal_key")
_OF_TESTS = ("SEED", "REQUIRE_KAFKA", "REQUIRE_CLIENTS", "REQUIRE_BROWSER", "CHROMIUM", "FAILPOINT")


class SettingsError(OneLine):
    """A setting is wrong; the text is one line that names it and says what is allowed."""


def variable(member: str) -> str:
    """Name the environment variable of a setting."""
    return f"{PREFIX}{member.upper()}"


def _web_address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be an address that begins with http:// or https://")
    return text.rstrip("/")


def _web_addresses(text: str) -> str:
    if not all(_is_origin(address.strip()) for address in text.split(",")):
        raise ValueError("must be addresses like http://host:port, with commas between them")
    return text


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


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


def _gateway_address(text: str) -> str:
    """Let https anywhere and http on this machine: a text message has the link of a patient in it."""
    try:
        parts = urlsplit(text)
        is_here = parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_here = False
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        raise ValueError("must be an address that begins with https://, or http:// on a loopback address")
    return text


def _database_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme == "postgresql" and parts.username and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be an address like postgresql://role:password@host:port/database")
    return text


def _brokers(text: str) -> str:
    for broker in text.split(","):
        host, _, port = broker.strip().rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("must be host:port, several with commas between them")
    return text


def _proxies(text: str) -> str:
    try:
        networks = [ip_network(proxy.strip()) for proxy in text.split(",")]
    except ValueError:
        networks = []
    # A network of everybody would make the header anybody's word.
    if not networks or any(network.prefixlen == 0 for network in networks):
        raise ValueError("must be IP addresses or networks like 10.1.0.0/16, with commas between them")
    return ",".join(proxy.strip() for proxy in text.split(","))


def _origins(text: str) -> str:
    origins = [origin.strip() for origin in text.split(",")]
    if not all(_is_origin(origin) and urlsplit(origin).path == "" for origin in origins):
        raise ValueError("must be origins like https://app.example, with commas between them")
    return ",".join(origins)


def _portal_key(text: str) -> str:
    try:
        fits = len(urlsafe_b64decode(text)) == 32
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be 32 bytes as URL-safe base64")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
WebAddresses = Annotated[str, AfterValidator(_web_addresses)]
DatabaseAddress = Annotated[str, AfterValidator(_database_address)]
_HIDDEN = Field(default=None, repr=False)
YesNo = Literal["yes", "no"]


class Settings(BaseSettings):
    """The settings of one process.

    `data` is the data folder, `url` the public address of the clinic (which one a command talks to, and what
    it calls itself), `clinic` another clinic.yaml than the example, `smtp_url` where e-mail goes,
    `sms_url` where text messages do,
    `trusted_proxies` whose X-Forwarded-For is believed (nobody's unless said), `cors_origins` whose pages may
    call (nobody's unless said), `demo_people` is `no` where those of clinic.yaml may not sign in,
    `sign_in_secret` proves to the clinic's own issuer who we are. The others belong to the distributed shape;
    `*_addresses` are where the gateway finds each part, `gateway_url` where the portal finds the gateway, and
    `portal_key` encrypts what it keeps of sessions.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data: Path = Path(".lumbar")
    url: WebAddress | None = None
    clinic: Path | None = None
    smtp_url: Annotated[str, AfterValidator(_mail_address)] | None = _HIDDEN
    sms_url: Annotated[str, AfterValidator(_gateway_address)] | None = _HIDDEN
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    otlp_endpoint: WebAddress | None = None
    trusted_proxies: Annotated[str, AfterValidator(_proxies)] | None = None
    cors_origins: Annotated[str, AfterValidator(_origins)] | None = None
    demo_people: YesNo | None = None
    sign_in_secret: str | None = _HIDDEN

    transport: Literal["kafka", "postgres"] | None = None
    kafka_bootstrap: Annotated[str, AfterValidator(_brokers)] | None = None
    kafka_username: str | None = None
    kafka_password: str | None = _HIDDEN
    kafka_tls: YesNo | None = None
    kafka_ca: Path | None = None
    kafka_prefix: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    referral_database_url: DatabaseAddress | None = _HIDDEN
    scheduling_database_url: DatabaseAddress | None = _HIDDEN
    careteam_database_url: DatabaseAddress | None = _HIDDEN
    notifications_database_url: DatabaseAddress | None = _HIDDEN
    identity_database_url: DatabaseAddress | None = _HIDDEN
    portal_database_url: DatabaseAddress | None = _HIDDEN
    portal_key: Annotated[str, AfterValidator(_portal_key)] | None = _HIDDEN
    gateway_url: WebAddress | None = None
    issuer: WebAddress | None = None
    jwks_url: WebAddress | None = None
    replica: int | None = Field(default=None, ge=0)
    referral_addresses: WebAddresses | None = None
    scheduling_addresses: WebAddresses | None = None
    careteam_addresses: WebAddresses | None = None
    notifications_addresses: WebAddresses | None = None
    issuer_addresses: WebAddresses | None = None
    portal_addresses: WebAddresses | None = None

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins whose pages may call."""
        return tuple(self.cors_origins.split(",")) if self.cors_origins else ()

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
    """Read the settings; raises SettingsError for the first that is wrong or unknown."""
    environment = os.environ if environment is None else environment
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text}
    values = {}
    for name, text in sorted(given.items()):
        member = name.removeprefix(PREFIX)
        if member.startswith("TEST_") or member in _OF_TESTS:
            _check_failpoint(name, text)
            continue
        if member.lower() not in Settings.model_fields:
            known = ", ".join(variable(field) for field in Settings.model_fields)
            raise SettingsError(f"{name}: there is no such setting; allowed are {known}")
        values[member.lower()] = text
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        member = str(first["loc"][0])
        secret = member in _SECRET or member.endswith("_database_url")
        given_text = "" if secret else f", not {first['input']!r}"
        raise SettingsError(f"{variable(member)}: {_said(first['msg'])}{given_text}") from error


def _check_failpoint(name: str, text: str) -> None:
    if name == failpoints.VARIABLE:
        try:
            failpoints.check(text)
        except failpoints.NoSuchPoint as error:
            raise SettingsError(f"{name}: {error}") from error


def _said(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
