"""Give a visit a seat in a group session: in one that is open at the time, else in one that it opens.

Invariants:
- A session takes its clinicians, room and equipment once; its patients take their own time only.
- Whoever joins, leaves or ends a session holds its lock, after those of referral and visit.
- A session in which nobody is left gives its time back.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, GroupSession
from services.scheduling.models.spans import Span
from services.scheduling.queries.occupancy import OccupancyClaim
from services.scheduling.rules.candidates import Candidate
from services.scheduling.rules.moving import CannotMove, cannot_move
from services.scheduling.rules.needs import Need, patient_key
from services.scheduling.states import GroupStatus
from shared.context import Context
from shared.db import Transaction
from shared.reasons import Reason

_ROUNDS = 5
_CONTENDED = Reason.of("contended")


async def run(ctx: Context, tx: Transaction, row: Appointment, span: Span, *, need: Need) -> None:
    """Take a seat at a time and put it into the row, without writing that; leave the seat that it had.

    Raises CannotMove with what blocks it and until when.
    """
    left, blocked = row.group_session, cannot_move(_CONTENDED)
    for _ in range(_ROUNDS):
        found = await _to_join(ctx, tx, row, span)
        if found is None and blocked.problems[0].reason != _CONTENDED:
            break
        try:
            seated = await (
                _open(ctx, tx, row, span, need=need) if found is None else _join(ctx, tx, row, *found)
            )
        except CannotMove as refusal:
            if found is not None:
                raise
            # What is in the way may be a session that somebody has opened meanwhile.
            blocked, seated = refusal, False
        if seated:
            if left is not None and left != row.group_session:
                await end_empty(tx, [left], but_not=[row.id])
            return
    raise blocked


async def _to_join(
    ctx: Context, tx: Transaction, row: Appointment, span: Span
) -> tuple[GroupSession, int] | None:
    """Lock the session with a seat at a time, None where there is none; raises CannotMove for a full one."""
    sessions = await queries.group_sessions.at_or_left(tx, row, starts_at=span.start, at=ctx.at)
    taken = await queries.group_sessions.seats_gone(
        tx, [session.id for session in sessions], at=ctx.at, but_not=[row.id]
    )
    found = rules.groups.to_join(sessions, row, starts_at=span.start, taken=taken)
    if found is None and (why := rules.groups.why_full(sessions, row, starts_at=span.start)):
        raise cannot_move(why)
    return found


async def end_empty(tx: Transaction, ids: Collection[UUID], *, but_not: Collection[UUID]) -> None:
    """Give back the time of sessions in which nobody has a seat but those who leave them now."""
    sessions = await queries.group_sessions.locked(tx, ids)
    taken = await queries.group_sessions.seats_taken(
        tx, [session.id for session in sessions], but_not=but_not
    )
    for session in sessions:
        if not taken[session.id] and session.status == GroupStatus.OPEN:
            await tx.update(session, status=GroupStatus.EMPTY.value)
            await queries.occupancy.release(tx, [session.id])


async def again(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """Take a seat again that was given up by mistake, or another one of the same session.

    Raises CannotMove where the session does not take place, is full, or the patient has something else.
    """
    if row.group_session is None or row.starts_at is None or row.ends_at is None:
        raise cannot_move(Reason.of("had-no-time"))
    [session] = await queries.group_sessions.locked(tx, [row.group_session])
    taken = (await queries.group_sessions.seats_gone(tx, [session.id], at=ctx.at, but_not=[row.id]))[
        session.id
    ]
    if (why := rules.groups.why_not_again(session, taken, now=ctx.at)) is not None:
        raise cannot_move(why)
    if row.seat in taken:
        row.seat = rules.groups.free_seat(session, taken)
    if not await _take_patient(ctx, tx, row, Span(row.starts_at, row.ends_at)):
        raise cannot_move(Reason.of("contended"))


async def in_session(
    ctx: Context, tx: Transaction, row: Appointment, session_id: UUID, *, offered: UUID
) -> None:
    """Give a visit a seat of this session, one that is `offered` in a round too, instead of the one it has.

    Raises CannotMove where the session does not take place, is full, or the patient has something else.
    """
    left = row.group_session
    wanted = {session_id} if left is None else {session_id, left}
    sessions = {one.id: one for one in await queries.group_sessions.locked(tx, wanted)}
    session, but_not = sessions[session_id], [row.id, offered]
    gone = (await queries.group_sessions.seats_gone(tx, [session_id], at=ctx.at, but_not=but_not))[session_id]
    seat = rules.groups.free_seat(session, gone)
    if (why := rules.groups.why_not_again(session, gone, now=ctx.at)) is not None or seat is None:
        raise cannot_move(why or _CONTENDED)
    if not await _join(ctx, tx, row, session, seat):
        raise cannot_move(_CONTENDED)
    if left is not None and left != session_id:
        await end_empty(tx, [left], but_not=[row.id])


async def keep(tx: Transaction, session_id: UUID, *, until: datetime | None) -> None:
    """Let a session that was held stand for good, since one of its seats is booked.

    Raises CannotMove where somebody else has taken something of it meanwhile.
    """
    [session] = await queries.group_sessions.locked(tx, [session_id])
    if session.held_until is None:
        return
    if await queries.occupancy.keep_held(tx, session.id) != rules.booking.count_beside_patients(session):
        raise cannot_move(Reason.of("hold-expired", until=until))
    await tx.update(session, held_until=None)


async def _join(ctx: Context, tx: Transaction, row: Appointment, session: GroupSession, seat: int) -> bool:
    span = Span(session.starts_at, session.ends_at)
    if not await _take_patient(ctx, tx, row, span):
        return False
    until = rules.groups.held_until(session, row)
    if until != session.held_until:
        await tx.update(session, held_until=until)
        await queries.occupancy.hold_until(tx, session.id, until)
    rules.groups.put_into(row, session, seat)
    return True


async def _open(ctx: Context, tx: Transaction, row: Appointment, span: Span, *, need: Need) -> bool:
    resources = [*need.resources, patient_key(row.patient_id)]
    window = need.taken_by(span)
    taken = await queries.occupancy.taken(tx, resources, window=window, at=ctx.at, but_not=[row.id])
    place = rules.moving.place_at(span, row, need=need, taken=taken)
    session = rules.groups.session_of(row, place, need=need)
    claims = [_claim_of(session, place), _claim_of_patient(row, span)]
    if not await queries.occupancy.claim_all(tx, claims, at=ctx.at, moving=row.starts_at is not None):
        return False
    await tx.insert(session)
    rules.groups.put_into(row, session, 1)
    return True


async def _take_patient(ctx: Context, tx: Transaction, row: Appointment, span: Span) -> bool:
    claim = _claim_of_patient(row, span)
    taken = await queries.occupancy.taken(tx, claim.resources, window=span, at=ctx.at, but_not=[row.id])
    if (why := rules.groups.why_patient_busy(row, span, taken=taken)) is not None:
        raise cannot_move(why)
    return await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=row.starts_at is not None)


def _claim_of_patient(row: Appointment, span: Span) -> OccupancyClaim:
    return OccupancyClaim(
        appointment=row.id,
        resources=(patient_key(row.patient_id),),
        span=span,
        until=rules.booking.taken_until(row),
    )


def _claim_of(session: GroupSession, place: Candidate) -> OccupancyClaim:
    return OccupancyClaim(
        appointment=session.id,
        resources=place.resources,
        span=place.taken,
        until=session.held_until,
    )
