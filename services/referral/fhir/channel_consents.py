"""A patient's consent to be written to or called by a channel: extensions of the Patient.

What the patient said (channel, permitted, date) is the caller's to write; who wrote it down and when is ours.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from services.referral.fhir.people import Resource
from services.referral.fhir.reading import day_of
from services.referral.models.facts import RecordedConsent
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir.codes import CHANNEL_CONSENT_EXTENSION, ContactChannel
from shared.fhir.instants import instant
from shared.fhir.values import value_of

_ALLOWED = ", ".join(ContactChannel)


class WrongChannelConsent(Invalid):
    """A consent to a channel does not say what is needed of it."""

    code = "value"


def read(
    ctx: Context, patient: Resource, *, before: Resource, recorded: Sequence[RecordedConsent], today: date
) -> list[RecordedConsent]:
    """Read the consents that a Patient states; of what is `recorded` already, who recorded it stays.

    What stands in the Patient `before` and is not recorded was written by a sender, and comes back with the
    whole Patient that is corrected: it is no word of the caller's and is left out.

    Raises WrongChannelConsent with each element: a channel that is none or is named twice, a day that has not
    come.
    """
    known = {_stated(consent): consent for consent in recorded}
    senders = [parts for _, parts in _extensions(before)]
    found: dict[str, RecordedConsent] = {}
    problems = []
    for place, parts in _extensions(patient):
        channel, permitted, said_on = (parts.get(name) for name in ("channel", "permitted", "date"))
        wrong = _wrong(channel, permitted, said_on, today=today)
        if wrong is None and (channel, permitted, said_on) not in known and parts in senders:
            continue
        if wrong is None and channel in found:
            wrong = f"there is one consent to {channel}: the newest"
        if wrong is not None:
            problems.append(Problem(text=wrong, code="value", expression=f"Patient.extension[{place}]"))
            continue
        consent = RecordedConsent(
            channel=str(channel),
            permitted=permitted is True,
            date=str(said_on),
            recorder=ctx.actor.reference,
            recorded=instant(ctx.at),
        )
        found[consent.channel] = known.get(_stated(consent), consent)
    if problems:
        raise WrongChannelConsent(problems=problems)
    return list(found.values())


def extensions(patient: Resource, consents: Sequence[RecordedConsent]) -> list[dict[str, Any]]:
    """Return the extensions of a Patient with these consents in the place of any others."""
    stated = patient.get("extension", [])
    others = [extension for extension in stated if extension.get("url") != CHANNEL_CONSENT_EXTENSION]
    return [*others, *(_rendered(consent) for consent in consents)]


def _extensions(patient: Resource) -> Iterator[tuple[int, dict[str, Any]]]:
    for place, extension in enumerate(patient.get("extension", [])):
        if extension.get("url") == CHANNEL_CONSENT_EXTENSION:
            parts = extension.get("extension", [])
            yield place, {part["url"]: value_of(part) for part in parts}


def _wrong(channel: Any, permitted: Any, said_on: Any, *, today: date) -> str | None:
    if channel not in list(ContactChannel):
        return f"a consent names its channel, one of {_ALLOWED} (`channel`, valueCode)"
    if not isinstance(permitted, bool):
        return "a consent says whether the patient permits it (`permitted`, valueBoolean)"
    day = day_of(said_on)
    if day is None or day.earliest != day.latest or day.latest > today:
        return "a consent says on which day the patient said so, at the latest today (`date`, valueDate)"
    return None


def _stated(consent: RecordedConsent) -> tuple[str, bool, str]:
    return consent.channel, consent.permitted, consent.date


def _rendered(consent: RecordedConsent) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "channel", "valueCode": consent.channel},
        {"url": "permitted", "valueBoolean": consent.permitted},
        {"url": "date", "valueDate": consent.date},
        {"url": "recorder", "valueReference": {"reference": consent.recorder}},
        {"url": "recorded", "valueInstant": consent.recorded},
    ]
    return {"url": CHANNEL_CONSENT_EXTENSION, "extension": parts}
