"""What events say of a patient that services keep: name, birth date, language, and how to reach them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.events.catalog.reading import Resource, value_of
from shared.fhir import people
from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who a patient is on a work list; `birth_date` is as FHIR writes it, and may be a year or a month."""

    family: str
    given: str
    birth_date: str | None
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """An address of a patient: `system` is phone, sms, email ...; `start` and `end` as FHIR writes them."""

    system: str
    value: str
    use: str | None = None
    rank: int | None = None
    start: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConsent:
    """What a patient said about a channel (`shared.fhir.codes.ContactChannel`), and on which day."""

    channel: str
    permitted: bool
    date: str


def person(patient: Resource) -> Person:
    """Read who a Patient is."""
    family, given = people.names(patient)
    birth_date = patient.get("birthDate")
    return Person(family=family, given=given, birth_date=birth_date, language=people.language(patient))


def contact_points(patient: Resource) -> list[ContactPoint]:
    """Read the addresses of a Patient, in the order in which they stand."""
    return [
        ContactPoint(
            system=str(point.get("system", "other")),
            value=str(point["value"]),
            use=point.get("use"),
            rank=point.get("rank"),
            start=point.get("period", {}).get("start"),
            end=point.get("period", {}).get("end"),
        )
        for point in patient.get("telecom", [])
        if point.get("value")
    ]


def channel_consents(patient: Resource) -> list[ChannelConsent]:
    """Read what stands in a Patient about channels; of a Patient of ours it is what the clinic recorded."""
    return [ChannelConsent(**said) for said in _channels(patient)]


def _channels(patient: Resource) -> Iterator[dict[str, Any]]:
    for extension in patient.get("extension", []):
        if extension.get("url") == CHANNEL_CONSENT_EXTENSION:
            parts = {part["url"]: value_of(part) for part in extension.get("extension", [])}
            if {"channel", "permitted", "date"} <= parts.keys():
                yield {name: parts[name] for name in ("channel", "permitted", "date")}
