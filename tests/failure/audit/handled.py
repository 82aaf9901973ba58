"""I3: every consumer has handled every event that it acts upon, and each had its effect once.

An effect is seen twice in what it leaves: two events of one cause about the same thing, or two entries of the
feed about one event.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping

from services.notifications.rules.routing import TELLS_NOBODY
from shared.events.topics import FEED
from tests.failure.audit.evidence import Evidence, Published

_VISIT = ("booked", "moved", "cancelled", "arrived", "checked-in", "fulfilled", "missed", "corrected")
_GUARANTEE = ("promised", "at-risk", "forecast-breach", "forecast-lifted", "breached", "second-breached")
_SERIES = ("booked", "not-booked", "suspended", "completed")
# What each consumer acts upon; None stands for everything that notifications tells.
HANDLED: dict[str, frozenset[str] | None] = {
    "referral": frozenset(
        {f"appointment.{one}" for one in _VISIT}
        | {f"guarantee.{one}" for one in _GUARANTEE}
        | {f"series.{one}" for one in _SERIES}
        | {"waitlist.joined", "waitlist.left", "careteam.formed", "careteam.changed", "directory.changed"}
        | {"plan.activated", "patient.discharged", "roster.changed"}
    ),
    "scheduling": frozenset(
        {"referral.accepted", "referral.revoked", "referral.closed", "referral.merged", "patient.changed"}
        | {"authorization.pended", "authorization.decided", "authorization.cancelled", "patient.discharged"}
        | {"referral.another-time-requested", "referral.priority-changed"}
        | {"careteam.formed", "careteam.changed"}
        | {"appointment.answered", "offer.answered", "patient.told", "patient.not-told"}
    ),
    "careteam": frozenset(
        {"appointment.booked", "appointment.fulfilled", "appointment.corrected", "appointment.reassigned"}
        | {"referral.revoked", "referral.closed", "patient.changed", "directory.changed", "roster.changed"}
        | {"intake.answered"}
    ),
    "notifications": None,
}
_INBOX = "SELECT event_id, count(*) AS times FROM inbox WHERE consumer_group = :reader GROUP BY 1"
_FEED = "SELECT headers->>'ce_id' AS event, headers->>'ce_type' AS type FROM event_log WHERE topic = :feed"


async def handled(evidence: Evidence) -> AsyncIterator[str]:
    """Hold every inbox and every effect against what was published."""
    heard = {
        record.event_id: (service, record)
        for service, records in evidence.published.items()
        for record in records
    }
    for group, types in HANDLED.items():
        inbox = {row["event_id"]: row["times"] for row in await evidence.rows(group, _INBOX, reader=group)}
        for publisher, record in heard.values():
            wanted = record.type in types if types is not None else publisher != group
            if wanted and (times := inbox.get(record.event_id, 0)) != 1:
                yield f"I3: {group} has handled {record.type} {record.event_id} {times} times"
    for finding in _doubled(evidence):
        yield finding
    of_others = {id: record for id, (publisher, record) in heard.items() if publisher != "notifications"}
    async for finding in _fed(evidence, of_others):
        yield finding


def _doubled(evidence: Evidence) -> list[str]:
    """Find two events of one cause, type and subject; a command's own events have the request as cause."""
    published = {record.event_id: record for records in evidence.published.values() for record in records}
    effects = Counter(
        (record.causation, record.type, record.subject)
        for record in published.values()
        if record.causation in published
    )
    return [
        f"I3: {cause} had the effect {event_type} on {subject} {times} times"
        for (cause, event_type, subject), times in effects.items()
        if times > 1
    ]


async def _fed(evidence: Evidence, heard: Mapping[str, Published]) -> AsyncIterator[str]:
    entries = Counter(row["event"] for row in await evidence.rows("notifications", _FEED, feed=FEED))
    for event, times in entries.items():
        if times > 1:
            yield f"I3: the event {event} stands {times} times in the feed"
    shown = {event for event in heard if heard[event].type not in TELLS_NOBODY}
    for event in sorted(shown - entries.keys()):
        yield f"I3: the event {event} does not stand in the feed"
