"""Decide a case: its text, its actions, a plan to revise, and who decided it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.fhir.meetings import AskedAction, AskedDecision
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.rows import CareTask, Decision, Meeting, Plan, Team
from services.careteam.states import CaseState, PlanState
from services.careteam.use_cases import assign_action, load, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingCaseDecided
from shared.fhir import store
from shared.fhir.elements import reference
from shared.reasons import Reason, as_written

TO_REVISE = timedelta(days=7)


async def run(ctx: Context, tx: Transaction, meeting_id: str, *, said: Mapping[str, Any]) -> CareTask:
    """Record the decision of a case, as the chair says it."""
    by = load.person(ctx)
    asked = fhir.meetings.asked_decision(ctx, said, zone=ctx.clinic.site(ctx.clinic.person(by).site).zone)
    meeting, case, team = await load.case_of_meeting(ctx, tx, meeting_id, asked.case_id)
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_be_open(meeting)
    rules.meetings.must_wait_at(case, meeting)
    rules.teams.must_be_active(team)
    plan = await _checked(ctx, tx, meeting, team, asked=asked)

    actions = [
        await assign_action.run(
            ctx,
            tx,
            team,
            owner=action.owner,
            what=as_written(action.description),
            due=action.due,
            requester=by,
            case_id=case.id,
        )
        for action in asked.actions
    ]
    if plan is not None:
        actions.append(await _ask_to_revise(ctx, tx, team, plan, case=case, by=by))
    rules.meetings.move_case(case, CaseState.DECIDED)
    await record.cases(ctx, tx, [case], more=fhir.tasks.decided(asked.text, actions=actions))
    decision = Decision(target=str(case.id), recorded_at=ctx.at, team_id=case.team_id, meeting_id=meeting.id)
    target = reference("Task", case.id)
    rendered = fhir.meetings.provenance(ctx, target=target, activity=Reason.of("case-decided"))
    await store.insert(tx, decision, rendered, at=ctx.at)
    await record.publish(ctx, tx, MeetingCaseDecided, case)
    return case


async def _checked(
    ctx: Context, tx: Transaction, meeting: Meeting, team: Team, *, asked: AskedDecision
) -> Plan | None:
    """Refuse what cannot be decided; returns the plan where it is to be revised."""
    members = await queries.teams.current_members(tx, team.id)
    participants = await queries.meetings.participants(tx, meeting.id)
    attending = {participant.practitioner for participant in participants if participant.is_present}
    disciplines = [member.discipline for member in members]
    rules.meetings.must_have_quorum(disciplines, attending=attending, clinic=ctx.clinic)
    plan = await queries.plans.of_team(tx, team.id) if asked.revise_plan else None
    findings = Findings(urls=ctx.urls)
    people = [member.practitioner for member in members]
    _check_actions(ctx, asked.actions, members=people, findings=findings)
    if asked.revise_plan and (plan is None or plan.status != PlanState.ACTIVE):
        expression = "Parameters.parameter.where(name='revise-plan')"
        findings.add("there is no active plan to revise", expression=expression)
    findings.refuse()
    return plan


def _check_actions(
    ctx: Context, asked: Sequence[AskedAction], *, members: Sequence[str], findings: Findings
) -> None:
    for index, action in enumerate(asked):
        base = f"Parameters.parameter.where(name='action')[{index}].part"
        if action.owner not in members:
            findings.add("the owner is no member of the team", expression=f"{base}.where(name='owner')")
        if action.due <= ctx.at:
            findings.add("the due date has passed", expression=f"{base}.where(name='due')")


async def _ask_to_revise(
    ctx: Context, tx: Transaction, team: Team, plan: Plan, *, case: CareTask, by: str
) -> CareTask:
    return await assign_action.run(
        ctx,
        tx,
        team,
        owner=plan.owner,
        what=Reason.of("to-revise-plan"),
        due=ctx.at + TO_REVISE,
        requester=by,
        case_id=case.id,
        plan_id=plan.id,
    )
