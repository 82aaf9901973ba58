"""Reviews at fixed weeks of the plan: who is off track goes on the next agenda, who was not measured is
asked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.careteam import queries, rules
from services.careteam.fhir.tasks import CaseReason
from services.careteam.models import INSTRUMENTS, Outcome, Plan, Team
from services.careteam.rules.progress import Measured
from services.careteam.states import PlanState
from services.careteam.use_cases import actions, agenda
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.events.outbox import publishing

REVIEW = "outcome-review"
TO_MEASURE = timedelta(days=7)


async def schedule_reviews(ctx: Context, tx: Transaction, plan: Plan, *, team: Team) -> None:
    """Set the timers of the reviews of a plan that was just activated."""
    for week in ctx.clinic.review_weeks:
        due = _review_time(ctx, plan, week, team=team)
        await timers.schedule(tx, kind=REVIEW, ref=f"{plan.id}/{week}", due=due)


async def cancel_reviews(ctx: Context, tx: Transaction, plan: Plan) -> None:
    """Remove the timers of the reviews of a plan that ended."""
    for week in ctx.clinic.review_weeks:
        await timers.cancel(tx, kind=REVIEW, ref=f"{plan.id}/{week}")


async def review_progress(ctx: Context, tx: Transaction, plan_id: UUID, *, week: int) -> None:
    """Review the outcomes of a plan's patient: off track, or not measured since the review before."""
    known = await tx.get(Plan, plan_id)
    if known is None:
        raise LookupError(f"plan {plan_id}")
    team = await queries.teams.locked(tx, known.team_id)
    plan = await queries.plans.locked(tx, plan_id)
    if plan is None or plan.status != PlanState.ACTIVE:
        return
    outcomes = await queries.outcomes.of_team(tx, team.id)
    since = _reviewed_before(ctx, plan, week, team=team)
    found = rules.progress.review(measured(outcomes), since=since)

    for instrument in found.off_track:
        newest = [one for one in outcomes if one.instrument == instrument][-1]
        await tell_off_track(ctx, tx, team, newest)
    plan.awaited_review = week if found.missing else None
    if found.missing:
        await _ask_to_measure(ctx, tx, plan, found.missing, team=team, week=week)


async def tell_off_track(ctx: Context, tx: Transaction, team: Team, outcome: Outcome) -> None:
    """Say that an outcome is off track and put the case on the next agenda; the team is locked."""
    outcome = await queries.outcomes.locked(tx, outcome.id)
    publishing.collect(
        tx, careteam.OutcomeOffTrack, of=outcome, key=team.patient_id, focus=outcome.body, ctx=ctx
    )
    await agenda.put_on_agenda(
        ctx, tx, team, reason=CaseReason.OFF_TRACK, text=f"off track: {INSTRUMENTS[outcome.instrument].name}"
    )


def measured(outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    """Sum up what was measured, by instrument; the outcomes come in order, each baseline first."""
    found: dict[str, Measured] = {}
    for outcome in outcomes:
        baseline = outcome.score if outcome.baseline else found[outcome.instrument].baseline
        found[outcome.instrument] = Measured(
            baseline=baseline,
            newest=outcome.score,
            newest_at=outcome.effective_at,
            repeated=not outcome.baseline,
        )
    return found


async def _ask_to_measure(
    ctx: Context, tx: Transaction, plan: Plan, missing: Sequence[str], *, team: Team, week: int
) -> None:
    names = ", ".join(INSTRUMENTS[name].name for name in missing)
    await actions.assign_action(
        ctx,
        tx,
        team,
        owner=plan.owner,
        description=f"Review of week {week}: measure {names}",
        due=ctx.at + TO_MEASURE,
        plan_id=plan.id,
    )


def _review_time(ctx: Context, plan: Plan, week: int, *, team: Team) -> datetime:
    if plan.activated_at is None:
        raise LookupError(f"plan {plan.id} was never activated")
    zone = ctx.clinic.site(team.site).zone
    return rules.progress.review_time(plan.activated_at, weeks=week, zone=zone)


def _reviewed_before(ctx: Context, plan: Plan, week: int, *, team: Team) -> datetime:
    """Tell when the review before this one was due; the plan's activation for the first."""
    earlier = max((one for one in ctx.clinic.review_weeks if one < week), default=0)
    return _review_time(ctx, plan, earlier, team=team)
