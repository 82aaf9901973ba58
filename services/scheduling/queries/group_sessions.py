"""Group sessions: those that can be joined, the seats that are taken, and what ends them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from services.scheduling.models.rows import Appointment, GroupSession
from services.scheduling.models.spans import Span
from shared.db import Transaction

_AT_OR_LEFT = """
SELECT * FROM group_session
WHERE id = $1 OR (site = $2 AND programme = $3 AND visit_type = $4 AND starts_at = $5 AND status = 'open'
  AND (held_until IS NULL OR held_until > $6))
ORDER BY id FOR UPDATE
"""
_LOCKED = "SELECT * FROM group_session WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE"
_SEATS = """
SELECT group_session, seat FROM appointment
WHERE group_session = ANY($1::uuid[]) AND status <> 'cancelled' AND id <> ALL($2::uuid[])
"""
# A seat that is offered is taken for everybody but those who are asked, until their time is over.
_SEATS_OFFERED = f"""
{_SEATS}UNION ALL
SELECT group_session, seat FROM offer_round
WHERE group_session = ANY($1::uuid[]) AND status = 'open' AND seat IS NOT NULL AND held_until > $3
  AND id <> ALL($2::uuid[])
"""  # noqa: S608
_JOINABLE = """
SELECT * FROM group_session
WHERE site = $1 AND programme = $2 AND visit_type = $3 AND starts_at >= $4 AND starts_at < $5
  AND status = 'open' AND (held_until IS NULL OR held_until > $6)
ORDER BY starts_at, id
"""
_MEMBERS = """
SELECT * FROM appointment
WHERE group_session = $1 AND status IN ('pending', 'booked', 'arrived', 'checked-in') ORDER BY id
"""


async def at_or_left(
    tx: Transaction, row: Appointment, *, starts_at: datetime, at: datetime
) -> Sequence[GroupSession]:
    """Lock the open sessions of a visit that begin at a time, and the one in which it has a seat now.

    One that nobody holds any more is left out. They come in the order in which they are locked.
    """
    wanted = (row.group_session, row.site, row.programme, row.visit_type, starts_at, at)
    return await tx.rows(GroupSession, _AT_OR_LEFT, *wanted)


async def locked(tx: Transaction, ids: Collection[UUID]) -> Sequence[GroupSession]:
    """Lock sessions, in the order of their ids."""
    return await tx.rows(GroupSession, _LOCKED, list(ids)) if ids else []


async def seats_taken(
    tx: Transaction, ids: Collection[UUID], *, but_not: Collection[UUID] = ()
) -> Mapping[UUID, set[int]]:
    """Read which seats of sessions are taken, leaving out some appointments."""
    found: dict[UUID, set[int]] = {session: set() for session in ids}
    for record in await tx.records(_SEATS, list(ids), list(but_not)) if ids else ():
        found[record["group_session"]].add(record["seat"])
    return found


async def seats_gone(
    tx: Transaction, ids: Collection[UUID], *, at: datetime, but_not: Collection[UUID] = ()
) -> Mapping[UUID, set[int]]:
    """Read which seats of sessions nobody gets at a moment: those that are taken, and those that are offered.

    `but_not` leaves out appointments and freed seats.
    """
    found: dict[UUID, set[int]] = {session: set() for session in ids}
    for record in await tx.records(_SEATS_OFFERED, list(ids), list(but_not), at) if ids else ():
        found[record["group_session"]].add(record["seat"])
    return found


async def joinable(
    tx: Transaction, *, site: str, programme: str, visit_type: str, window: Span, at: datetime
) -> Sequence[GroupSession]:
    """Read the open sessions of a visit that begin inside a window, full ones too, the earliest first."""
    return await tx.rows(GroupSession, _JOINABLE, site, programme, visit_type, *window, at)


async def members(tx: Transaction, session_id: UUID) -> Sequence[Appointment]:
    """Read the visits that stand in a session, or are held, without a lock."""
    return await tx.rows(Appointment, _MEMBERS, session_id)


async def members_locked(tx: Transaction, session_id: UUID) -> Sequence[Appointment]:
    """Lock the visits that stand in a session, or are held, in the order of their ids."""
    return await tx.rows(Appointment, f"{_MEMBERS} FOR UPDATE", session_id)
