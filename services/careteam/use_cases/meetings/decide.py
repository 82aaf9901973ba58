"""Deciding a case: its text, its actions, a plan to revise, and who decided it."""

from collections.abc import Sequence
from datetime import timedelta

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.meetings import AskedAction, AskedDecision
from services.careteam.models import CareTask, Decision, Meeting, Plan, Team
from services.careteam.settings import Settings
from services.careteam.states import LIVE_CASES, CaseState, PlanState, TeamState
from services.careteam.use_cases import actions, agenda
from services.careteam.use_cases.change_team import TeamHasEnded
from shared.act import Act
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
    tx: Transaction,
    meeting: Meeting,
    case: CareTask,
    team: Team,
    *,
    asked: AskedDecision,
    by: str | None,
    settings: Settings,
    act: Act,
) -> CareTask:
    """Record the decision of a case; team, meeting and case are locked, in this order."""
    plan = await _checked(tx, meeting, case, team, asked=asked, by=by, settings=settings, act=act)
    chair = meeting.chair
    made = [
        await actions.assign_action(
            tx,
            team,
            owner=one.owner,
            description=one.description,
            due=one.due,
            requester=chair,
            case_id=case.id,
            plan_id=plan.id if plan is not None and one.description == REVISE else None,
            settings=settings,
            act=act,
        )
        for one in [*asked.actions, *_revision(plan, act=act)]
    ]
    more = fhir.tasks.decided(asked.text, actions=made)
    await agenda.become(tx, case, CaseState.DECIDED, act=act, more=more)
    await _leave_provenance(tx, case, meeting=meeting, act=act)
    publishing.publish(
        tx, careteam.MEETING_CASE_DECIDED, of=case, key=case.patient_id, focus=case.body, act=act
    )
    return case


async def _checked(
    tx: Transaction,
    meeting: Meeting,
    case: CareTask,
    team: Team,
    *,
    asked: AskedDecision,
    by: str | None,
    settings: Settings,
    act: Act,
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
        [one.discipline for one in members], attending=attended, clinic=settings.clinic
    )
    plan = await queries.plans.of_team(tx, team.id) if asked.revise_plan else None
    findings = Findings()
    _check_actions(asked.actions, members=[one.practitioner for one in members], act=act, findings=findings)
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
    asked: Sequence[AskedAction], *, members: Sequence[str], act: Act, findings: Findings
) -> None:
    for index, one in enumerate(asked):
        base = f"Parameters.parameter.where(name='action')[{index}].part"
        if one.owner not in members:
            findings.add("the owner is no member of the team", expression=f"{base}.where(name='owner')")
        if one.due <= act.at:
            findings.add("the due date has passed", expression=f"{base}.where(name='due')")


def _revision(plan: Plan | None, *, act: Act) -> list[AskedAction]:
    if plan is None:
        return []
    return [AskedAction(owner=plan.owner, description=REVISE, due=act.at + TO_REVISE)]


async def _leave_provenance(tx: Transaction, case: CareTask, *, meeting: Meeting, act: Act) -> None:
    proof = Decision(target=str(case.id), recorded_at=act.at, team_id=case.team_id, meeting_id=meeting.id)
    target = fhir.elements.reference("Task", case.id)
    rendered = fhir.meetings.provenance(target=target, activity="case decided", act=act)
    await store.put(tx, proof, rendered, at=act.at)
