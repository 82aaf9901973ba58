"""Evaluate a guarantee whenever something changed, and publish where its status did."""

from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import STANDING, UNTIMED
from services.scheduling.use_cases import book_first, record, record_guarantee
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.record_guarantee import EvaluatedGuarantee
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.fhir.codes import GuaranteeStatus


async def run(ctx: Context, tx: Transaction, referral_id: UUID) -> None:
    """Evaluate the guarantee of a referral and publish what is new; an unknown referral has none."""
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is not None:
        await _evaluate(ctx, tx, referral)


async def at_its_end(ctx: Context, tx: Transaction, referral_id: UUID, *, cache: AvailabilityCache) -> None:
    """Evaluate a guarantee at its end; where it broke and the patient waits, take the earliest time at all.

    Where a visit inside the guarantee stands whose outcome nobody recorded, it is asked again a day later.
    """
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is None:
        return
    evaluated = await _evaluate(ctx, tx, referral)
    status, firsts = evaluated.guarantee.status, evaluated.firsts
    if status == GuaranteeStatus.ON_TRACK and any(row.status in STANDING for row in firsts):
        again = rules.guarantee.asked_again_at(referral.due_at, now=ctx.at)
        await timers.schedule(tx, kind=TimerKind.DUE, ref=str(referral.id), due=again)
    if status == GuaranteeStatus.BREACHED:
        for row in firsts:
            if row.status in UNTIMED:
                await book_first.from_waitlist(ctx, tx, referral, row, cache=cache)


async def at_its_second_end(ctx: Context, tx: Transaction, referral_id: UUID) -> None:
    """Evaluate a guarantee at the end of its second promise, and publish where that broke.

    Where a visit before that end stands whose outcome nobody recorded, it is asked again a day later.
    """
    referral = await queries.referrals.locked(tx, referral_id)
    if referral is None:
        return
    evaluated = await _evaluate(ctx, tx, referral)
    second_due_at = evaluated.guarantee.second_due_at
    if evaluated.guarantee.second_breached_at is None and any(
        row.status in STANDING and row.starts_at and row.starts_at < second_due_at for row in evaluated.firsts
    ):
        again = rules.guarantee.asked_again_at(second_due_at, now=ctx.at)
        await timers.schedule(tx, kind=TimerKind.SECOND_DUE, ref=str(referral.id), due=again)


async def _evaluate(ctx: Context, tx: Transaction, referral: Referral) -> EvaluatedGuarantee:
    evaluated = await record_guarantee.evaluate_guarantee(ctx, tx, referral)
    await record.publish_guarantee_event(ctx, tx, evaluated)
    return evaluated
