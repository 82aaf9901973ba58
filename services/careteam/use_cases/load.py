"""Load what a caller names: inside their row scope, the team locked first, then the row.

The scope is asked again under the lock, so that who was taken off a team while waiting gets nothing. Whatever
is outside the scope is not found.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from services.careteam import queries, rules
from services.careteam.fhir.request_parsing import Findings, optional_referral, referred, row_id
from services.careteam.models.rows import CareTask, Goal, Meeting, Plan, Team
from services.careteam.states import TeamState
from shared.context import Context
from shared.db import Transaction
from shared.errors import Forbidden, Invalid, NotFound

Row = TypeVar("Row", Plan, Goal, CareTask)


class NotAPerson(Forbidden):
    """The caller's token names no practitioner."""


class NoSuchThing(NotFound):
    """There is none, or none that this caller may see."""


def person(ctx: Context) -> str:
    """Return the practitioner who calls; raises NotAPerson for everybody else."""
    if ctx.caller.practitioner is None:
        raise NotAPerson("only a practitioner of the clinic may do this")
    return ctx.caller.practitioner


async def team(ctx: Context, tx: Transaction, team_id: str) -> Team:
    """Lock a team."""
    identity = row_id(team_id)
    if await queries.teams.visible(tx, identity, by=ctx.caller) is not None:
        locked = await queries.teams.locked(tx, identity)
        if await queries.teams.visible(tx, identity, by=ctx.caller) is not None:
            return locked
    raise NoSuchThing("there is no such CareTeam")


async def plan(ctx: Context, tx: Transaction, plan_id: str) -> tuple[Team, Plan]:
    """Lock a plan and its team."""
    return await _with_team(ctx, tx, plan_id, see=queries.plans.visible, what="CarePlan")


async def goal(ctx: Context, tx: Transaction, goal_id: str) -> tuple[Team, Goal]:
    """Lock a goal and its team."""
    return await _with_team(ctx, tx, goal_id, see=queries.plans.goal_visible, what="Goal")


async def task(ctx: Context, tx: Transaction, task_id: str) -> tuple[Team, CareTask]:
    """Lock a case or an action and its team."""
    return await _with_team(ctx, tx, task_id, see=queries.tasks.visible, what="Task")


async def _with_team(
    ctx: Context, tx: Transaction, asked_id: str, *, see: Callable[..., Awaitable[Row | None]], what: str
) -> tuple[Team, Row]:
    identity = row_id(asked_id)
    found = await see(tx, identity, by=ctx.caller)
    if found is not None:
        its_team = await queries.teams.locked(tx, found.team_id)
        locked = await see(tx, identity, by=ctx.caller, lock=True)
        if locked is not None:
            return its_team, locked
    raise NoSuchThing(f"there is no such {what}")


async def meeting(ctx: Context, tx: Transaction, meeting_id: str) -> Meeting:
    """Lock a meeting."""
    locked = await queries.meetings.visible(tx, row_id(meeting_id), by=ctx.caller, lock=True)
    if locked is None:
        raise NoSuchThing("there is no such Appointment")
    return locked


async def case_of_meeting(
    ctx: Context, tx: Transaction, meeting_id: str, case_id: str
) -> tuple[Meeting, CareTask, Team]:
    """Lock the team of a case, the meeting and the case, in the order in which all lock them."""
    identity = row_id(case_id, expression=rules.meetings.CASE)
    if await queries.meetings.visible(tx, row_id(meeting_id), by=ctx.caller) is None:
        raise NoSuchThing("there is no such Appointment")
    found = await queries.tasks.visible(tx, identity, by=ctx.caller)
    if found is not None:
        its_team = await queries.teams.locked(tx, found.team_id)
        its_meeting = await meeting(ctx, tx, meeting_id)
        locked = await queries.tasks.locked(tx, identity)
        if locked is not None:
            return its_meeting, locked, its_team
    raise NoSuchThing("there is no such case", expression=rules.meetings.CASE)


async def team_of_patient(ctx: Context, tx: Transaction, data: Mapping[str, Any], *, member: str) -> Team:
    """Lock the caller's active team of the patient, and of the referral where `basedOn` names one."""
    findings = Findings(urls=ctx.urls)
    expression = f"{data['resourceType']}.{member}"
    patient = referred(data.get(member), "Patient", expression=expression, findings=findings)
    referral = optional_referral(data, findings=findings)
    findings.refuse()
    visible = await queries.teams.of_patient_visible(tx, patient or "", by=ctx.caller)
    teams = [found for found in visible if referral is None or found.referral_id == referral]
    if not teams:
        raise NoSuchThing("you are in no team of such a patient", expression=expression)
    active = [found for found in teams if found.status == TeamState.ACTIVE]
    if len(active) > 1:
        raise Invalid(
            "the patient has two teams of yours: name the referral",
            expression=f"{data['resourceType']}.basedOn",
        )
    locked = await team(ctx, tx, str((active or teams)[0].id))
    rules.teams.must_be_active(locked)
    return locked
