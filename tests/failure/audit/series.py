"""I15: a series is inside its grant and says what it has; nothing called off is revived, blocks are kept."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.scheduling.rules.entitlement import GRANTING
from shared.fhir.codes import CORRECTION_EXTENSION
from tests.failure.audit.evidence import Evidence
from tests.support.history import versions_of
from tests.support.sql import sql

Row = Mapping[str, Any]
_SERIES = (
    "SELECT s.id::text AS id, s.status, s.wanted, s.short, convert_from(s.body, 'UTF8')::jsonb AS list,"
    " f.status AS decided, f.grants, f.referral_id IS NOT NULL AS is_asked"
    " FROM series s LEFT JOIN funding f ON f.referral_id = s.referral_id"
)
_SESSIONS = (
    "SELECT id::text AS id, series_id::text AS series, kind, status, discipline, starts_at,"
    " starts_at < (SELECT min(last_updated) FROM appointment) AS is_set_back,"
    ' reasons @> \'[{"code": "late-uses-a-unit"}]\' AS uses_a_unit FROM appointment'
    " WHERE series_id IS NOT NULL"
)
_SAID = (
    "SELECT convert_from(value, 'UTF8')::jsonb AS said, headers ->> 'ce_type' AS type FROM event_log"
    " WHERE headers ->> 'ce_type' IN ('series.booked', 'appointment.booked')"
)
_STANDS = ("booked", "arrived", "checked-in")
_KEPT_HOURS = (
    "SELECT a.id::text AS id, a.programme, a.starts_at, a.ends_at, person ->> 'id' AS person, hours"
    " FROM roster r, jsonb_array_elements(r.document -> 'people') AS person,"
    " jsonb_array_elements(person -> 'hours') AS hours JOIN appointment a ON true"
    " WHERE hours ? 'programmes' AND a.practitioner = person ->> 'id' AND a.site = r.site"
    " AND a.status IN ('booked', 'arrived', 'checked-in')"
    " AND NOT hours -> 'programmes' @> to_jsonb(a.programme)"
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZONE = ZoneInfo("America/Toronto")


async def series(evidence: Evidence) -> AsyncIterator[str]:
    """Hold each series against its sessions and its grant, and kept hours against who is in them."""
    sessions: dict[str, list[Row]] = {}
    for row in await evidence.rows("scheduling", _SESSIONS):
        sessions.setdefault(row["series"], []).append(row)
    for one in await evidence.rows("scheduling", _SERIES):
        own = sessions.get(one["id"], [])
        for what in (*_said_wrongly(one, own), *_beyond(one, own)):
            yield f"I15: the series {one['id']} {what}"
    async for finding in _unsaid(evidence, [row for rows in sessions.values() for row in rows]):
        yield finding
    async for finding in _revived(evidence):
        yield finding
    async for finding in _in_kept_hours(evidence):
        yield finding


def _said_wrongly(one: Row, own: Sequence[Row]) -> Iterator[str]:
    """Hold what a series says of itself against its rows."""
    named = {entry["item"]["reference"].rpartition("/")[2] for entry in one["list"].get("entry", ())}
    ids = {row["id"] for row in own}
    if named - ids:
        yield f"names {sorted(named - ids)}, which it does not have"
    if left := {row["id"] for row in own if row["status"] in (*_STANDS, "fulfilled")} - named:
        yield f"does not name {sorted(left)}"
    if own and one["status"] == "not-booked" and any(row["status"] == "booked" for row in own):
        yield "is not booked, and has booked sessions"
    have = _counted(own, (*_STANDS, "fulfilled"))
    for discipline, count in (one["wanted"] or {}).items():
        if one["status"] == "booked" and have[discipline] > count:
            yield f"has {have[discipline]} sessions of {discipline} and wants {count}"
        short = (one["short"] or {}).get(discipline, 0)
        if have[discipline] + short > count:
            yield f"is short of {short} of {discipline}, has {have[discipline]} and wants {count}"


def _beyond(one: Row, own: Sequence[Row]) -> Iterator[str]:
    """Hold what stands against the payer's newest answer; what took place before it may be more."""
    standing = _counted(own, _STANDS)
    if not one["is_asked"] or not standing.total():
        return
    if one["decided"] not in GRANTING:
        yield f"stands, and the payer's answer is {one['decided']}"
        return
    have = _counted(own, (*_STANDS, "fulfilled")) + _counted([row for row in own if row["uses_a_unit"]], ())
    for discipline in standing:
        fitting = [grant for grant in one["grants"] if grant.get("discipline") == discipline]
        fitting = fitting or [grant for grant in one["grants"] if grant.get("discipline") is None]
        units = [grant["units"] for grant in fitting if grant.get("units") is not None]
        if not fitting or (units and have[discipline] > sum(units)):
            yield f"has {have[discipline]} sessions of {discipline}, {sum(units)} are granted"
    for row in own:
        # Time that a test let pass by moving a visit back is no day of anybody's.
        stands = row["status"] in _STANDS and row["kind"] == "session" and not row["is_set_back"]
        if stands and _is_outside(row, one["grants"]):
            yield f"has {row['id']} outside the days that are granted"


def _counted(own: Sequence[Row], statuses: Sequence[str]) -> Counter[str]:
    """Count sessions by discipline; without a status those whose late cancellation used a unit."""
    wanted = [
        row
        for row in own
        if row["kind"] == "session" and (row["status"] in statuses or (not statuses and row["uses_a_unit"]))
    ]
    return Counter(row["discipline"] for row in wanted)


def _is_outside(row: Row, grants: Sequence[Row]) -> bool:
    own = [grant for grant in grants if grant.get("discipline") in (row["discipline"], None)]
    day = row["starts_at"].astimezone(_ZONE).date().isoformat()
    return bool(own) and not any(
        (grant.get("starts_on") or day) <= day <= (grant.get("ends_on") or day) for grant in own
    )


async def _unsaid(evidence: Evidence, sessions: Sequence[Row]) -> AsyncIterator[str]:
    """Expect that of every session somebody was told, and of none that there is not."""
    said = await evidence.rows("scheduling", _SAID)
    if not said:
        return
    named = {
        entry["resource"]["id"]
        for row in said
        for entry in row["said"]["entry"]
        if entry.get("resource", {}).get("resourceType") == "Appointment"
    }
    for row in sessions:
        if row["id"] not in named:
            yield f"I15: nobody was told that {row['id']} of the series {row['series']} is booked"
    every = {row["id"] for row in await evidence.rows("scheduling", "SELECT id::text AS id FROM appointment")}
    for id in sorted(named - every):
        yield f"I15: {id} was said to be booked, and there is no such visit"


async def _revived(evidence: Evidence) -> AsyncIterator[str]:
    """Find visits that stand after they were called off, though nobody corrected that."""
    database = evidence.databases["scheduling"]
    every = await versions_of(database)
    async with database.transaction() as tx:
        of_visits = f"SELECT id, body FROM ({every}) AS every WHERE type = 'Appointment' ORDER BY id, version"
        rows = (await sql(tx, of_visits)).all()
    was: dict[str, str] = {}
    for row in rows:
        body = msgspec.json.decode(row.body)
        corrected = any(one["url"] == CORRECTION_EXTENSION for one in body.get("extension", ()))
        if was.get(row.id) == "cancelled" != body["status"] and not corrected:
            yield f"I15: {row.id} was called off, and is {body['status']} again"
        was[row.id] = body["status"]


async def _in_kept_hours(evidence: Evidence) -> AsyncIterator[str]:
    """Find visits of other programmes in hours that are kept for some, before these are released."""
    found = [row for row in await evidence.rows("scheduling", _KEPT_HOURS) if _overlaps(row)]
    if not found:
        return
    every = await versions_of(evidence.databases["scheduling"])
    since = {
        (row["id"], row["begins"]): row["since"]
        for row in await evidence.rows(
            "scheduling",
            "SELECT id, convert_from(body, 'UTF8')::jsonb ->> 'start' AS begins, min(last_updated) AS since"
            f" FROM ({every}) AS every WHERE type = 'Appointment' GROUP BY 1, 2",
        )
    }
    for row in found:
        begins = row["starts_at"].astimezone(_ZONE)
        taken = [at for (id, start), at in since.items() if id == row["id"] and _same(start, begins)]
        released = row["hours"].get("release_days")
        days = (begins.date() - min(taken).astimezone(_ZONE).date()).days if taken else 0
        if released is None or days > released:
            yield f"I15: {row['id']} of {row['programme']} lies in hours of {row['person']} kept for others"


def _overlaps(row: Row) -> bool:
    begins, ends = (row[name].astimezone(_ZONE) for name in ("starts_at", "ends_at"))
    hours = row["hours"]
    if _WEEKDAYS[begins.weekday()] not in hours["days"]:
        return False
    start, end = (time.fromisoformat(str(hours[name])) for name in ("from", "to"))
    return bool(begins.time() < end and start < ends.time())


def _same(start: str | None, begins: datetime) -> bool:
    return start is not None and abs(datetime.fromisoformat(start) - begins) < timedelta(seconds=1)
