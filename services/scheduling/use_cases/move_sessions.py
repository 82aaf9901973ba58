"""Give the sessions of a series that a scope means another time, another clinician or another room.

Invariants:
- All that are meant follow, or none does and the one that cannot is named.
- Only what is booked and still to come is meant: what was called off, missed or seen stays as it is.
"""

from collections.abc import Sequence
from datetime import datetime

from services.scheduling import rules
from services.scheduling.models.rows import Appointment
from services.scheduling.models.series_change import ChangedSeries, SeriesChange
from services.scheduling.rules.moving import CannotMove
from services.scheduling.use_cases import move, series_in_hand
from services.scheduling.use_cases.series_in_hand import SeriesInHand
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, hand: SeriesInHand, change: SeriesChange) -> ChangedSeries:
    """Move them as the one that is named, or keep each at its time with somebody else or somewhere else."""
    anchor = series_in_hand.anchor(hand, change)
    if anchor is None or anchor.starts_at is None:
        raise Invalid("name the session that is meant", expression="Parameters.parameter")
    _check_whom(ctx, hand, anchor, change)
    zone = ctx.clinic.site(hand.series.site).zone
    rows = rules.series_scope.meant(hand.sessions, anchor, scope=change.scope, now=ctx.at)
    if change.start is None:
        rows = rules.series_scope.of_kind(rows, anchor)
    else:
        rows = rules.series_scope.alike(rows, anchor, zone=zone)
    series_in_hand.own(ctx, rows)
    if not rows:
        raise series_in_hand.refusal(ctx, hand, Reason.of("no-session-to-come"))
    old, new = anchor.starts_at, change.start or anchor.starts_at
    changed = [row for row in rows if new != old or _differs(row, change)]
    before = {row.id: row.starts_at for row in changed}
    # The ones in whose way the others would be go first.
    for row in sorted(changed, key=lambda row: row.starts_at or old, reverse=new > old):
        start = rules.series_scope.moved_start(row, old=old, new=new, zone=zone)
        await _follow(ctx, tx, hand, row, start=start, change=change)
    return await series_in_hand.answer(ctx, tx, hand, before)


async def _follow(
    ctx: Context,
    tx: Transaction,
    hand: SeriesInHand,
    row: Appointment,
    *,
    start: datetime,
    change: SeriesChange,
) -> None:
    was = row.starts_at
    row.overbooked_because = None
    try:
        await move.run(
            ctx, tx, row, referral=hand.referral, start=start, lead=change.practitioner, room=change.room
        )
    except CannotMove as refusal:
        why = refusal.problems[0].reason
        named = Reason.of("session-cannot-move", when=was)
        raise series_in_hand.refusal(ctx, hand, named, *([why] if why else [])) from refusal


def _differs(row: Appointment, change: SeriesChange) -> bool:
    """Tell whether somebody else leads a session from then on, or it is somewhere else."""
    leads, room = change.practitioner or row.practitioner, change.room or row.room
    return (leads, room) != (row.practitioner, row.room)


def _check_whom(ctx: Context, hand: SeriesInHand, anchor: Appointment, change: SeriesChange) -> None:
    """Refuse whoever never gives such a session, and a room where it is never; raises Invalid."""
    if change.practitioner is None and change.room is None:
        return
    if anchor.group_session is not None:
        raise series_in_hand.refusal(ctx, hand, Reason.of("group-keeps-its-clinician"))
    need = rules.needs.need_of_row(ctx.clinic, anchor, at=ctx.at)
    able = [] if need is None else [person.id for person in need.people]
    rooms = [] if need is None else [room.id for room in need.rooms]
    _allowed(change.practitioner, able, "practitioner", kind="clinicians who give this session")
    _allowed(change.room, rooms, "location", kind="rooms for this session")


def _allowed(given: str | None, able: Sequence[str], name: str, *, kind: str) -> None:
    if given is not None and given not in able:
        where = f"Parameters.parameter.where(name='{name}')"
        raise Invalid(f"is one of the {kind}: {', '.join(able) or 'there are none'}", expression=where)
