"""Review a plan's outcomes at fixed weeks: who is off track goes on the agenda, what is missing is asked."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.careteam import queries, rules
from services.careteam.models.rows import Outcome, Plan, Team
from services.careteam.states import PlanState
from services.careteam.use_cases import assign_action, put_on_agenda, record
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import OutcomeOffTrack
from shared.reasons import Reason
from shared.timers import Timer

REVIEW = "outcome-review"
TO_MEASURE = timedelta(days=7)


async def run(ctx: Context, tx: Transaction, plan_id: UUID, *, week: int) -> None:
    """Review the outcomes of a plan's patient: off track, or not measured since the review before."""
    team_id = await queries.plans.team_of(tx, plan_id)
    if team_id is None:
        raise LookupError(f"plan {plan_id}")
    team = await queries.teams.locked(tx, team_id)
    plan = await queries.plans.locked(tx, plan_id)
    if plan is None or plan.status != PlanState.ACTIVE:
        return
    outcomes = await queries.outcomes.lock_all(tx, team.id)
    since = _reviewed_before(ctx, plan, week, team=team)
    review = rules.progress.review(rules.progress.measured(outcomes), since=since)

    newest = {outcome.instrument: outcome for outcome in outcomes}
    for instrument in review.off_track:
        await bring_off_track(ctx, tx, team, newest[instrument])
    await tx.update(plan, awaited_review=week if review.missing else None)
    if review.missing:
        await _ask_to_measure(ctx, tx, plan, review.missing, team=team, week=week)


async def schedule_reviews(ctx: Context, tx: Transaction, plan: Plan, *, team: Team) -> None:
    """Set the timers of the reviews of a plan that was just activated."""
    due = {week: _review_time(ctx, plan, week, team=team) for week in ctx.clinic.review_weeks}
    reviews = [Timer(kind=REVIEW, ref=f"{plan.id}/{week}", due_at=at) for week, at in due.items()]
    await timers.schedule_all(tx, reviews)


async def cancel_reviews(ctx: Context, tx: Transaction, plan: Plan) -> None:
    """Remove the timers of the reviews of a plan that ended."""
    await timers.cancel_all(tx, [(REVIEW, f"{plan.id}/{week}") for week in ctx.clinic.review_weeks])


async def bring_off_track(ctx: Context, tx: Transaction, team: Team, outcome: Outcome) -> None:
    """Publish that an outcome is off track and put the case on the next agenda; both are locked."""
    await record.publish(ctx, tx, OutcomeOffTrack, outcome)
    await put_on_agenda.run(ctx, tx, team, why=Reason.of("off-track", instrument=outcome.instrument))


async def _ask_to_measure(
    ctx: Context, tx: Transaction, plan: Plan, missing: Sequence[str], *, team: Team, week: int
) -> None:
    what = Reason.of("to-measure", week=week, instruments=list(missing))
    due = ctx.at + TO_MEASURE
    await assign_action.run(ctx, tx, team, owner=plan.owner, what=what, due=due, plan_id=plan.id)


def _review_time(ctx: Context, plan: Plan, week: int, *, team: Team) -> datetime:
    if plan.activated_at is None:
        raise LookupError(f"plan {plan.id} was never activated")
    zone = ctx.clinic.site(team.site).zone
    return rules.progress.review_time(plan.activated_at, weeks=week, zone=zone)


def _reviewed_before(ctx: Context, plan: Plan, week: int, *, team: Team) -> datetime:
    """Return when the review before this one was due; the plan's activation for the first."""
    earlier = max((reviewed for reviewed in ctx.clinic.review_weeks if reviewed < week), default=0)
    return _review_time(ctx, plan, earlier, team=team)
