"""Who a patient is and how to reach them, as services keep it that are not the patient's own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Who a patient is on a work list; `birth_date` is as FHIR writes it, and may be a year or a month."""

    family: str
    given: str
    birth_date: str | None = None
    language: str | None = None


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
