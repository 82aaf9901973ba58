"""Deciding a case: its text, its actions, a plan to revise, and who decided it."""

from collections.abc import Sequence
from datetime import timedelta

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.meetings import AskedAction, AskedDecision
from services.careteam.models import CareTask, Decision, Meeting, Plan, Team
from services.careteam.states import LIVE_CASES, CaseState, PlanState, TeamState
from services.careteam.use_cases import actions, agenda
from services.careteam.use_cases.change_team import TeamHasEnded
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict, NotFound
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode

REVISE = "Revise the plan as the meeting decided"
TO_REVISE = timedelta(days=7)


class NotOnThisAgenda(NotFound):
    """The case does not stand on the agenda of this meeting."""


class AlreadyDecided(Conflict):
    """The case was decided or dropped before."""


async def decide_case(
    ctx: Context,
    tx: Transaction,
    meeting: Meeting,
    case: CareTask,
    team: Team,
    *,
    asked: AskedDecision,
    by: str | None,
) -> CareTask:
    """Record the decision of a case; team, meeting and case are locked, in this order."""
    plan = await _checked(ctx, tx, meeting, case, team, asked=asked, by=by)
    chair = meeting.chair
    made = [
        await actions.assign_action(
            ctx,
            tx,
            team,
            owner=one.owner,
            description=one.description,
            due=one.due,
            requester=chair,
            case_id=case.id,
            plan_id=plan.id if plan is not None and one.description == REVISE else None,
        )
        for one in [*asked.actions, *_revision(ctx, plan)]
    ]
    more = fhir.tasks.decided(asked.text, actions=made)
    await agenda.become(ctx, tx, case, CaseState.DECIDED, more=more)
    await _leave_provenance(ctx, tx, case, meeting=meeting)
    publishing.collect(
        tx, careteam.MeetingCaseDecided, of=case, key=case.patient_id, focus=case.body, ctx=ctx
    )
    return case


async def _checked(
    ctx: Context,
    tx: Transaction,
    meeting: Meeting,
    case: CareTask,
    team: Team,
    *,
    asked: AskedDecision,
    by: str | None,
) -> Plan | None:
    """Refuse what cannot be decided; gives the plan where it is to be revised."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_be_open(meeting)
    _must_wait_here(case, team, meeting=meeting)
    members = [one for one in await queries.teams.members(tx, team.id) if one.left_at is None]
    attended = {
        one.practitioner for one in await queries.meetings.participants(tx, meeting.id) if one.attended
    }
    rules.meetings.must_have_quorum(
        [one.discipline for one in members], attending=attended, clinic=ctx.clinic
    )
    plan = await queries.plans.of_team(tx, team.id) if asked.revise_plan else None
    findings = Findings()
    _check_actions(ctx, asked.actions, members=[one.practitioner for one in members], findings=findings)
    if asked.revise_plan and (plan is None or plan.status != PlanState.ACTIVE):
        findings.add(
            "there is no active plan to revise", expression="Parameters.parameter.where(name='revise-plan')"
        )
    findings.refuse()
    return plan


def _must_wait_here(case: CareTask, team: Team, *, meeting: Meeting) -> None:
    if case.code != TaskCode.AGENDA_ITEM or case.meeting_id != meeting.id:
        raise NotOnThisAgenda("there is no such case on this agenda")
    if case.state not in LIVE_CASES:
        raise AlreadyDecided(f"the case is {case.state}")
    if team.status != TeamState.ACTIVE:
        raise TeamHasEnded("the team has ended with its referral")


def _check_actions(
    ctx: Context, asked: Sequence[AskedAction], *, members: Sequence[str], findings: Findings
) -> None:
    for index, one in enumerate(asked):
        base = f"Parameters.parameter.where(name='action')[{index}].part"
        if one.owner not in members:
            findings.add("the owner is no member of the team", expression=f"{base}.where(name='owner')")
        if one.due <= ctx.at:
            findings.add("the due date has passed", expression=f"{base}.where(name='due')")


def _revision(ctx: Context, plan: Plan | None) -> list[AskedAction]:
    if plan is None:
        return []
    return [AskedAction(owner=plan.owner, description=REVISE, due=ctx.at + TO_REVISE)]


async def _leave_provenance(ctx: Context, tx: Transaction, case: CareTask, *, meeting: Meeting) -> None:
    proof = Decision(target=str(case.id), recorded_at=ctx.at, team_id=case.team_id, meeting_id=meeting.id)
    target = fhir.elements.reference("Task", case.id)
    rendered = fhir.meetings.provenance(ctx, target=target, activity="case decided")
    await store.put(tx, proof, rendered, at=ctx.at)
