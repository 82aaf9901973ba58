"""The auditor: reads all databases after everything healed and drained, and lists what must not be.

Its invariants are numbered as in the project's reliability plan. It trusts nobody's word but the client's
notes and the mail server's letters; an empty list means that everything holds.

- I1 no acknowledged referral is lost; I10 a retried one is there once, whatever the client did not know.
- I2 every aggregate has its events, with versions 1..n; I4 in that order in its topic.
- I3 every consumer has handled every event of its topics once.
- I5 nobody is in two places, and what is booked is what is taken.
- I6 every history of a resource has only steps that its service's table of states has (transitions.py).
- I7 every accepted referral is booked once or waits once.
- I8 one notification for each event, recipient and channel, and one letter for each.
- I11 nothing is on its way: outboxes empty, nothing held, no timer overdue, no message due.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.db import Database
from shared.events.topics import FEED, TOPICS
from tests.failure.transitions import illegal_steps

PUBLISHERS = ("referral", "scheduling", "careteam")
# What each consumer acts upon; None stands for everything.
HANDLED: dict[str, frozenset[str] | None] = {
    "referral": frozenset({"appointment.booked", "appointment.fulfilled", "waitlist.joined"}),
    "scheduling": frozenset({"referral.accepted", "referral.revoked", "referral.closed", "referral.merged"}),
    "careteam": frozenset({"appointment.booked", "appointment.fulfilled", "referral.revoked"}),
    "notifications": None,
}
# What a routine referral's people are told, apart from its team: event type and recipient.
EXPECTED_LETTERS = (("referral.accepted", "requester"), ("appointment.booked", "requester"))


@dataclass(kw_only=True)
class Operation:
    """One referral as the client knows it; `referral` is the id it was told, None while it does not know."""

    token: str
    referral: str | None = None
    attempts: int = 0
    unknown: int = 0


@dataclass(kw_only=True)
class Notes:
    """What the client did, and the Message-IDs that the mail server took."""

    operations: list[Operation] = field(default_factory=list)
    letters: Counter[str] = field(default_factory=Counter)


async def audit(databases: Mapping[str, Database], notes: Notes) -> list[str]:
    """List every invariant that does not hold, each with its number and the ids concerned."""
    findings: list[str] = []
    for invariant in (_acknowledged, _versions, _handled, _places, _steps, _booked, _told, _drained):
        findings += [finding async for finding in invariant(databases, notes)]
    return findings


async def _acknowledged(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    statement = "SELECT id::text AS id, unnest(identifiers) AS token FROM referral"
    found = await _rows(databases["referral"], statement)
    by_token: dict[str, list[str]] = {}
    for row in found:
        by_token.setdefault(row["token"], []).append(row["id"])
    for operation in notes.operations:
        there = by_token.get(operation.token, [])
        if operation.referral is not None and operation.referral not in there:
            yield f"I1: the acknowledged referral {operation.referral} is not there"
        if len(there) > 1:
            yield f"I10: {operation.token}, sent {operation.attempts} times, is there {len(there)} times"


async def _versions(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    for service, database in databases.items():
        versions: dict[str, list[int]] = {}
        for row in await _log(database, service):
            versions.setdefault(row["subject"], []).append(row["version"])
        for subject, seen in versions.items():
            if sorted(seen) != list(range(1, len(seen) + 1)):
                yield f"I2: the events of {subject} have the versions {sorted(seen)}"
            elif seen != sorted(seen):
                yield f"I4: the events of {subject} stand in the order {seen}"
        logged = {subject.rpartition("/")[2]: max(seen) for subject, seen in versions.items()}
        for table in await _tables_with(database, "event_version"):
            for row in await _rows(database, f'SELECT id::text AS id, event_version FROM "{table}"'):
                if row["event_version"] != (newest := logged.get(row["id"], 0)):
                    yield f"I2: {table} {row['id']} is at {row['event_version']}, its log at {newest}"


async def _handled(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    events = [row for publisher in PUBLISHERS for row in await _log(databases[publisher], publisher)]
    for group, types in HANDLED.items():
        inbox = "SELECT event_id, count(*) AS times FROM inbox WHERE consumer_group = :group GROUP BY 1"
        handled = {row["event_id"]: row["times"] for row in await _rows(databases[group], inbox, group=group)}
        for event in events:
            wanted = types is None or event["type"] in types
            if wanted and (times := handled.get(event["event_id"], 0)) != 1:
                yield f"I3: {group} has handled {event['type']} {event['event_id']} {times} times"


async def _places(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    twice = (
        "SELECT a.appointment::text AS one, b.appointment::text AS other FROM occupancy a JOIN occupancy b"
        " ON a.resource = b.resource AND a.during && b.during AND a.appointment < b.appointment"
        " WHERE a.live AND b.live"
    )
    for row in await _rows(databases["scheduling"], twice):
        yield f"I5: the appointments {row['one']} and {row['other']} share somebody or something at one time"
    taken = (
        "SELECT id::text AS id, status, (SELECT count(*) FROM occupancy o WHERE o.appointment = a.id"
        " AND o.live AND o.during = tstzrange(a.starts_at, a.ends_at)) AS taken FROM appointment a"
    )
    for row in await _rows(databases["scheduling"], taken):
        wanted = 3 if row["status"] in ("booked", "arrived") else 0
        if row["status"] != "fulfilled" and row["taken"] != wanted:
            yield f"I5: the {row['status']} appointment {row['id']} takes {row['taken']} of {wanted}"


async def _steps(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    async for finding in illegal_steps(databases):
        yield finding


async def _booked(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    states = await _rows(databases["referral"], "SELECT id::text AS id, state FROM referral")
    firsts = Counter(
        row["referral"]
        for row in await _rows(
            databases["scheduling"],
            "SELECT referral_id::text AS referral FROM appointment"
            " WHERE kind = 'first' AND status IN ('booked', 'arrived', 'fulfilled', 'waitlist')",
        )
    )
    for row in states:
        if row["state"] not in ("booked", "waitlisted"):
            yield f"I7: the referral {row['id']} is left {row['state']}"
        if firsts[row["id"]] != 1:
            yield f"I7: the referral {row['id']} has {firsts[row['id']]} first appointments"


async def _told(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    told = await _rows(
        databases["notifications"],
        "SELECT id::text AS id, event_type, recipient, channel, status, referral_id FROM notification",
    )
    counted = Counter(
        (row["referral_id"], row["event_type"], row["recipient"], row["channel"]) for row in told
    )
    for (referral, event_type, recipient, channel), times in counted.items():
        if times > 1:
            yield f"I8: {recipient} was told {event_type} of {referral} {times} times by {channel}"
    referrals = await _rows(databases["referral"], "SELECT id::text AS id, requester, state FROM referral")
    for row in referrals:
        for event_type, _ in EXPECTED_LETTERS:
            expected = (row["id"], event_type, f"Organization/{row['requester']}", "email")
            if row["state"] == "booked" and counted[expected] != 1:
                yield f"I8: {row['requester']} has {counted[expected]} messages {event_type} of {row['id']}"
    arrived = {letter.strip("<>").partition("@")[0] for letter in notes.letters}
    for row in told:
        if row["status"] == "completed" and row["id"] not in arrived:
            yield f"I8: the message {row['id']} says completed, and no letter arrived"
    for stray in sorted(arrived - {row["id"] for row in told}):
        yield f"I8: a letter {stray} arrived that no message stands for"


async def _drained(databases: Mapping[str, Database], notes: Notes) -> AsyncIterator[str]:
    for service, database in databases.items():
        for what, statement in LEFT.items():
            left = (await _rows(database, f"SELECT count(*) AS left FROM {statement}"))[0]["left"]
            if left:
                yield f"I11: {service} has {left} {what}"
    open_messages = "SELECT count(*) AS left FROM notification WHERE next_attempt_at <= now()"
    left = (await _rows(databases["notifications"], open_messages))[0]["left"]
    if left:
        yield f"I11: {left} messages are due"


LEFT = {
    "events in the outbox": "outbox",
    "held keys": "held_key",
    "held events": "held_event",
    "timers overdue": "timer WHERE due_at <= now()",
}


async def _log(database: Database, service: str) -> Sequence[Mapping[str, Any]]:
    """Read what a service has published, in the order of its log; the feed is no service's topic."""
    topic = next(one.name for one in TOPICS.values() if one.publisher == service and one.name != FEED)
    return await _rows(
        database,
        "SELECT headers->>'ce_id' AS event_id, headers->>'ce_type' AS type,"
        " headers->>'ce_subject' AS subject, (headers->>'ce_version')::int AS version"
        " FROM event_log WHERE topic = :topic ORDER BY log_offset",
        topic=topic,
    )


async def _tables_with(database: Database, column: str) -> list[str]:
    found = await _rows(
        database,
        "SELECT table_name AS name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = :column ORDER BY 1",
        column=column,
    )
    return [row["name"] for row in found]


async def _rows(database: Database, statement: str, **values: Any) -> Sequence[Mapping[str, Any]]:
    async with database.transaction() as tx:
        return list((await tx.sql(statement, **values)).mappings().all())
