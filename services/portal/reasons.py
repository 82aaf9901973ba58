"""Reasons in the reader's language: the sentence is made from the code and its typed arguments.

The sentences come from the services' code systems, in both languages, and are kept for a while; where one
cannot be read the English sentence that came with the reason stands in.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from services.portal.calls import Calls
from services.portal.languages import Language
from services.portal.reading import arguments_of, reason_codings
from shared.clock import monotonic
from shared.reasons import one_text

SERVICES = ("referral", "scheduling", "careteam", "notifications")
AS_WRITTEN = "as-written"
_KEPT = 300.0


class Sentences:
    """The sentences of all services by language and code, read again every few minutes."""

    def __init__(self) -> None:
        self._by_language: Mapping[str, Mapping[str, str]] = {}
        self._read_at = -_KEPT
        self._reading = asyncio.Lock()

    async def refresh(self, calls: Calls) -> None:
        """Read the code systems where that was long ago; a service that is away keeps what was known."""
        if monotonic() - self._read_at < _KEPT:
            return
        async with self._reading:
            if monotonic() - self._read_at < _KEPT:
                return
            await self._read(calls)

    async def _read(self, calls: Calls) -> None:
        found: dict[str, dict[str, str]] = {
            language: dict(known) for language, known in self._by_language.items()
        }
        answers = await asyncio.gather(
            *(calls.get(f"/{service}/fhir/CodeSystem", name="Reason") for service in SERVICES)
        )
        for answer in answers:
            for entry in answer.body.get("entry", ()) if answer.is_good else ():
                for concept in entry["resource"].get("concept", ()):
                    for designation in concept.get("designation", ()):
                        sentences = found.setdefault(designation["language"], {})
                        sentences[concept["code"]] = designation["value"]
        self._by_language = found
        if all(answer.is_good for answer in answers):
            self._read_at = monotonic()

    def say(self, concept: Mapping[str, Any] | None, *, language: Language, zone: tzinfo) -> str:
        """Say a concept of ours in the reader's language; what a person wrote stays as it is."""
        if not concept:
            return ""
        codings = reason_codings(concept)
        if not codings:
            return str(concept.get("text", ""))
        return one_text(self._sentence(coding, language=language, zone=zone) for coding in codings)

    def _sentence(self, coding: Mapping[str, Any], *, language: Language, zone: tzinfo) -> str:
        as_sent = str(coding.get("display", coding["code"]))
        template = self._by_language.get(language.code, {}).get(coding["code"])
        if template is None or coding["code"] == AS_WRITTEN:
            return as_sent
        values: dict[str, list[Any]] = {}
        for name, kind, value in arguments_of(coding):
            values.setdefault(name, []).append(_told(kind, value, zone=zone))
        try:
            return str(template.format(**{name: _listed(many) for name, many in values.items()}))
        except (LookupError, ValueError, AttributeError):
            return as_sent


def _told(kind: str, value: Any, *, zone: tzinfo) -> Any:
    if kind == "DateTime":
        return datetime.fromisoformat(value).astimezone(zone)
    if kind == "Date":
        return date.fromisoformat(value)
    if kind == "Reference":
        return value.get("display", value.get("reference", ""))
    return value


def _listed(values: list[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    told = [str(value) for value in values]
    return ("; " if any("," in value for value in told) else ", ").join(told)
