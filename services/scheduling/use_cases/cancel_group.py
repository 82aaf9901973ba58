"""Cancel a group session for all who have a seat in it: by staff, with a reason."""

from collections.abc import Mapping
from typing import Any

from services.scheduling import queries, rules, texts
from services.scheduling.models.rows import Appointment
from services.scheduling.rules.moving import CannotMove
from services.scheduling.states import AppointmentStatus, GroupStatus
from services.scheduling.use_cases import change, freed_time, holds, record
from services.scheduling.use_cases.change import VisitOfAnother
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import scheduling as events
from shared.reasons import as_written


async def run(ctx: Context, tx: Transaction, appointment_id: str, *, given: Mapping[str, Any]) -> Appointment:
    """Cancel the session in which an appointment has a seat, and return that appointment.

    Each patient's visit is cancelled by itself and told to whom it concerns. Raises NotFound, VisitOfAnother,
    Invalid without a reason, and CannotMove where there is no session that is still to take place.
    """
    words = _reason(given)
    seen = await change.seen_by_caller(ctx, tx, appointment_id)
    if (why := rules.acts.may_change(ctx, seen)) is not None:
        raise VisitOfAnother.because(why, texts.REASONS)
    members = await queries.group_sessions.members(tx, seen.group_session) if seen.group_session else ()
    await queries.referrals.locked_all(tx, {row.referral_id for row in members} | {seen.referral_id})
    if seen.group_session is None:
        raise rules.moving.cannot_move(rules.groups.NO_GROUP)
    rows = await queries.group_sessions.members_locked(tx, seen.group_session)
    await queries.offers.rounds_of_group(tx, seen.group_session)
    [session] = await queries.group_sessions.locked(tx, [seen.group_session])
    named = next((row for row in rows if row.id == seen.id), None)
    if named is None or session.status != GroupStatus.OPEN:
        raise rules.moving.cannot_move(rules.groups.NO_GROUP)
    for row in rows:
        await _cancel(ctx, tx, row, words=words)
    await tx.update(session, status=GroupStatus.CANCELLED.value)
    await queries.occupancy.release(tx, [session.id])
    await freed_time.end_group(ctx, tx, session.id)
    return named


async def _cancel(ctx: Context, tx: Transaction, row: Appointment, *, words: str) -> None:
    if row.status == AppointmentStatus.PENDING:
        await holds.let_go(ctx, tx, row, because=as_written(words), code=record.CLINIC_CANCELS)
        return
    row.status, row.reasons = AppointmentStatus.CANCELLED, [as_written(words)]
    row.reason_code = record.CLINIC_CANCELS
    await record.give_back(ctx, tx, [row])
    await queries.given_up.keep(tx, rules.given_up.by_cancelling(row, code=record.CLINIC_CANCELS))
    await record.save_visit(ctx, tx, row, events.AppointmentCancelled)


def _reason(given: Mapping[str, Any]) -> str:
    """Read why; raises Invalid where nothing is said."""
    words = str(given.get("reason") or "").strip()
    if not words:
        where = "Parameters.parameter.where(name='reason')"
        raise Invalid("who cancels for everybody says why", expression=where)
    return words


REFUSES = (VisitOfAnother, CannotMove)
