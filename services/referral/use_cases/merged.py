"""A referral that was merged into another follows it: its sender sees the visit and the report.

When the first ends by revocation or closing, the merged one comes back to a person.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.referral import fhir, queries
from services.referral.models.facts import Finding
from services.referral.models.rows import Referral
from services.referral.states import TAKEN_AWAY, State, Turn
from services.referral.use_cases import record, referral_file, triage
from services.referral.use_cases.changes import Changes, the_clinic
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

# What every sender of a merged referral reads of the first.
_OF_THE_CARE = (
    frozenset(f"first-appointment-{what}" for what in ("booked", "moved", "cancelled", "missed", "fulfilled"))
    | {"guarantee-at-risk", "guarantee-forecast-breach", "guarantee-breached", "guarantee-second-breached"}
    | {"waitlist-joined", "waitlist-left", "patient-arrived"}
    | {
        "plan-active",
        "status-corrected",
        "accepted-for",
    }
)


async def follow(tx: Transaction, firsts: Sequence[Changes]) -> None:
    """Say of what was merged into these referrals where they stand now."""
    by_id = {changes.referral.id: changes for changes in firsts if changes.referral.has_duplicates}
    if not by_id:
        return
    merged = await queries.referrals.merged_into(tx, by_id)
    tasks = await queries.tasks.processes_of(tx, [referral.id for referral in merged])
    of_referral = {task.referral_id: task for task in tasks}
    followed = []
    for referral in merged:
        file = ReferralFile(
            referral=referral, before=referral.model_copy(), process_task=of_referral.get(referral.id)
        )
        first = by_id[referral.merged_into] if referral.merged_into else firsts[0]
        referral.reason, referral.turn = _where_it_stands(referral, first.referral), first.referral.turn
        followed.append(Changes(first.ctx, file))
    await record.steps(tx, followed)


async def complete(
    ctx: Context,
    tx: Transaction,
    first: Referral,
    *,
    plan: Mapping[str, Any],
    observations: Sequence[Mapping[str, Any]],
    at: datetime,
) -> None:
    """Give what was merged into a completed referral its own report, and tell its sender."""
    if not first.has_duplicates:
        return
    for merged in await queries.referrals.merged_into(tx, [first.id]):
        changes = Changes(ctx, await referral_file.load(tx, merged))
        body = fhir.report.render(
            merged, plan=plan, observations=observations, clinic=ctx.clinic, base_url=ctx.urls.base, at=at
        )
        report = changes.enclose(body, status="final")
        merged.report = report.id
        reason = [same_as(merged, first), Reason.of("report-is-there")]
        changes.move(State.DISCHARGED, reason=reason, turn=Turn.NOBODY)
        changes.announce(events.ReferralCompleted, report)
        await record.run(ctx, tx, changes)


async def go_along(ctx: Context, tx: Transaction, first: Changes) -> None:
    """Follow what a verb did with the first, or give what was merged into it back to a person."""
    if first.referral.state in TAKEN_AWAY:
        await _come_back(ctx, tx, first.referral)
    elif first.referral.state != State.DISCHARGED:
        await follow(tx, [first])


async def _come_back(ctx: Context, tx: Transaction, first: Referral) -> None:
    """Give the oldest of what was merged into a referral back to a person; the others follow that one."""
    merged = await queries.referrals.merged_into(tx, [first.id])
    if not merged:
        return
    oldest, *others = merged
    if others:
        await queries.referrals.point_to(tx, oldest.id, instead_of=first.id)
    oldest.has_duplicates = bool(others)
    await _give_back(ctx, tx, oldest, because=Reason.of("first-ended", state=first.state))


async def give_back_all(ctx: Context, tx: Transaction, referrals: Sequence[Referral]) -> None:
    """Give back to a person what was merged into another person's referral, because of records that were
    merged by mistake; where it has got that one's report, ask the coordinator to tell its sender.
    """
    for referral in referrals:
        if referral.state == State.MERGED:
            await _give_back(ctx, tx, referral, because=Reason.of("records-unmerged"))
        elif referral.report is not None:
            changes = Changes(ctx, await referral_file.load(tx, referral))
            reason = [Reason.of("report-of-another")]
            work = changes.open_work(TaskCode.RESOLVE_IDENTITY, owner=the_clinic(ctx), reason=reason)
            changes.announce(events.ReferralPatientReviewNeeded, work)
            await record.run(ctx, tx, changes)


async def _give_back(ctx: Context, tx: Transaction, referral: Referral, *, because: Reason) -> None:
    person = Finding(rule=because.code, reasons=(because,), elements=("ServiceRequest",))
    changes = Changes(ctx, await referral_file.load(tx, referral))
    referral.merged_into = None
    changes.move(State.AWAITING_REVIEW, reason=[because], turn=Turn.CLINIC)
    result = triage.judge(ctx, changes.file)
    triage.decide(ctx, changes, result, open_referrals=(), person=person)
    await record.run(ctx, tx, changes)


def same_as(referral: Referral, first: Referral) -> Reason:
    """Say which referral goes on: of another sender's neither when it came nor what it is called."""
    if referral.requester != first.requester:
        return Reason.of("same-as-anothers")
    return Reason.of("same-as-earlier", sent_at=first.sent_at)


def _where_it_stands(referral: Referral, first: Referral) -> list[Reason]:
    """Say where the first stands; of another sender's what is about the visits and the care, and no words."""
    if referral.requester == first.requester:
        return [same_as(referral, first), *first.reason]
    shared = [reason for reason in first.reason if reason.code in _OF_THE_CARE]
    return [same_as(referral, first), *shared]
