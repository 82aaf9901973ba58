"""I8: one message for each event, recipient and channel, none without consent, and one letter for each."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from services.notifications.rules.routing import NOTIFICATION_ROUTES
from services.notifications.states import Audience
from tests.failure.audit.evidence import Evidence
from tests.support.history import versions_of

_MESSAGES = (
    "SELECT id::text AS id, event_id, event_type, recipient, channel, audience, status, reason, claim_id,"
    " referral_id FROM notification"
)
# What the feed says of an event of which referral: the requester is owed an e-mail of some.
_ENTRIES = "SELECT convert_from(value, 'UTF8')::jsonb AS entry FROM event_log WHERE topic = 'feed'"
_OF_SESSIONS = tuple(
    f"appointment.{one}" for one in ("booked", "moved", "reassigned", "cancelled", "missed", "corrected")
)
_TO_PATIENTS = (
    "SELECT id::text AS id, visit_id AS visit, visit_starts_at AS begins FROM notification"
    " WHERE audience = 'patient' AND visit_id IS NOT NULL AND offer_id IS NULL"
)
_STARTS = (
    "SELECT id, convert_from(body, 'UTF8')::jsonb ->> 'start' AS begins FROM ({every}) AS every"
    " WHERE type = 'Appointment' AND convert_from(body, 'UTF8')::jsonb ? 'start'"
)
_WITHOUT_CONSENT = "SELECT claim_id FROM known_authorization WHERE NOT consented"


async def told(evidence: Evidence) -> AsyncIterator[str]:
    """Hold the messages against the events, and the letters against the messages."""
    messages = await evidence.rows("notifications", _MESSAGES)
    counted = Counter((row["event_id"], row["recipient"], row["channel"]) for row in messages)
    for (event, recipient, channel), times in counted.items():
        if times > 1:
            yield f"I8: {recipient} was told {event} {times} times by {channel}"
    async for finding in _requesters(evidence, counted):
        yield finding
    async for finding in _without_consent(evidence, messages):
        yield finding
    async for finding in _patients(evidence):
        yield finding
    for finding in _letters(evidence, messages):
        yield finding


async def _patients(evidence: Evidence) -> AsyncIterator[str]:
    """Expect that every time of which a patient was written to is one that the visit had."""
    told = await evidence.rows("notifications", _TO_PATIENTS)
    if not told:
        return
    every = await versions_of(evidence.databases["scheduling"])
    had = {
        (row["id"], datetime.fromisoformat(row["begins"]))
        for row in await evidence.rows("scheduling", _STARTS.format(every=every))
    }
    for row in told:
        if (row["visit"], row["begins"]) not in had:
            yield f"I8: the message {row['id']} tells a time that the visit {row['visit']} never had"


async def _requesters(evidence: Evidence, counted: Mapping[tuple[str, str, str], int]) -> AsyncIterator[str]:
    """Expect one e-mail to the requester for every event that the table promises them one of."""
    for row in await evidence.rows("notifications", _ENTRIES):
        entry = row["entry"]
        owed = NOTIFICATION_ROUTES.get(entry["type"])
        if owed is None or Audience.REFERRER not in owed.email or not entry.get("requester"):
            continue
        recipient = f"Organization/{entry['requester']}"
        times = counted.get((entry["id"], recipient, "email"), 0)
        if times != 1 and (times or entry["type"] not in _OF_SESSIONS):
            yield f"I8: {recipient} has {times} messages of {entry['type']} {entry['id']}"
    async for finding in _first_bookings(evidence):
        yield finding


async def _first_bookings(evidence: Evidence) -> AsyncIterator[str]:
    """Expect that of every first appointment that stands its requester was told."""
    standing = (
        "SELECT referral_id::text AS referral, requester FROM appointment"
        " WHERE kind IN ('first', 'joint-first')"
        " AND status IN ('booked', 'arrived', 'checked-in', 'fulfilled')"
    )
    known = defaultdict(set)
    statement = "SELECT referral_id, recipient FROM notification WHERE event_type = 'appointment.booked'"
    for row in await evidence.rows("notifications", statement):
        known[row["referral_id"]].add(row["recipient"])
    for row in await evidence.rows("scheduling", standing):
        if f"Organization/{row['requester']}" not in known[row["referral"]]:
            yield f"I8: nobody told the requester that {row['referral']} is booked"


async def _without_consent(evidence: Evidence, messages: list[Mapping[str, Any]]) -> AsyncIterator[str]:
    claims = {row["claim_id"] for row in await evidence.rows("notifications", _WITHOUT_CONSENT)}
    for row in messages:
        to_insurer = row["audience"] == "insurer" and row["claim_id"] in claims
        if to_insurer and row["status"] not in ("completed", "stopped", "not-done"):
            yield f"I8: {row['recipient']} is to be told of {row['claim_id']} without consent"


def _letters(evidence: Evidence, messages: list[Mapping[str, Any]]) -> list[str]:
    arrived = {letter.strip("<>").partition("@")[0] for letter in evidence.history.letters}
    found = [
        f"I8: the message {row['id']} says completed, and no letter arrived"
        for row in messages
        if row["status"] == "completed" and row["id"] not in arrived
    ]
    strays = sorted(arrived - {row["id"] for row in messages})
    return found + [f"I8: a letter {stray} arrived that no message stands for" for stray in strays]
