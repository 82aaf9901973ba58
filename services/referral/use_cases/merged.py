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
from services.referral.use_cases.changes import Changes
from services.referral.use_cases.referral_file import ReferralFile
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import referral as events
from shared.reasons import Reason


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
        referral.reason, referral.turn = (
            [_same_as(first.referral), *first.referral.reason],
            first.referral.turn,
        )
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
        reason = [_same_as(first), Reason.of("report-is-there")]
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
    reason = Reason.of("first-ended", state=first.state)
    person = Finding(rule="first-ended", reasons=(reason,), elements=("ServiceRequest",))
    changes = Changes(ctx, await referral_file.load(tx, oldest))
    oldest.merged_into, oldest.has_duplicates = None, bool(others)
    changes.move(State.AWAITING_REVIEW, reason=[reason], turn=Turn.CLINIC)
    result = triage.judge(ctx, changes.file)
    triage.decide(ctx, changes, result, open_referrals=(), person=person)
    await record.run(ctx, tx, changes)


def _same_as(first: Referral) -> Reason:
    return Reason.of("same-as-earlier", sent_at=first.sent_at)
