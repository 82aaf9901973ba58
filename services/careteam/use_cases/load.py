"""Loading what a caller names: inside their row scope, the team locked first, then the row.

The scope is asked again under the lock, so that who was taken off a team while waiting gets nothing. Whatever
is outside the scope is not found.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.careteam import fhir, queries
from services.careteam.fhir.asked import Findings
from services.careteam.models import CareTask, Goal, Meeting, Plan, Team
from services.careteam.states import TeamState
from services.careteam.use_cases.change_team import TeamHasEnded
from shared.auth.principal import Principal
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, NotFound

Row = TypeVar("Row", Plan, Goal, CareTask)
Found = TypeVar("Found", covariant=True)
Lock = Callable[[Transaction, UUID], Awaitable[Row | None]]


class See(Protocol[Found]):
    """A query for a row inside the caller's row scope."""

    async def __call__(self, tx: Transaction, identity: UUID, /, *, by: Principal) -> Found | None:
        """Find the row, or None."""
        ...


class NoSuchThing(NotFound):
    """There is none, or none that this caller may see."""


async def team(ctx: Context, tx: Transaction, team_id: str) -> Team:
    """Load and lock a team."""
    found = await queries.teams.visible(tx, fhir.asked.row_id(team_id), by=ctx.caller)
    if found is None:
        raise NoSuchThing("there is no such CareTeam")
    return await queries.teams.locked(tx, found.id)


async def plan(ctx: Context, tx: Transaction, plan_id: str) -> tuple[Team, Plan]:
    """Load and lock a plan and its team."""
    return await _with_team(
        ctx, tx, plan_id, see=queries.plans.visible, lock=queries.plans.locked, what="CarePlan"
    )


async def goal(ctx: Context, tx: Transaction, goal_id: str) -> tuple[Team, Goal]:
    """Load and lock a goal and its team."""
    return await _with_team(
        ctx, tx, goal_id, see=queries.plans.goal_visible, lock=queries.plans.goal_locked, what="Goal"
    )


async def task(ctx: Context, tx: Transaction, task_id: str) -> tuple[Team, CareTask]:
    """Load and lock a case or an action and its team."""
    return await _with_team(
        ctx, tx, task_id, see=queries.tasks.visible, lock=queries.tasks.locked, what="Task"
    )


async def _with_team(
    ctx: Context, tx: Transaction, asked_id: str, *, see: See[Row], lock: Lock[Row], what: str
) -> tuple[Team, Row]:
    identity = fhir.asked.row_id(asked_id)
    found = await see(tx, identity, by=ctx.caller)
    if found is not None:
        its_team = await queries.teams.locked(tx, found.team_id)
        locked = await lock(tx, identity)
        if locked is not None and await see(tx, identity, by=ctx.caller) is not None:
            return its_team, locked
    raise NoSuchThing(f"there is no such {what}")


async def meeting(ctx: Context, tx: Transaction, meeting_id: str) -> Meeting:
    """Load and lock a meeting."""
    identity = fhir.asked.row_id(meeting_id)
    if await queries.meetings.visible(tx, identity, by=ctx.caller) is not None:
        locked = await queries.meetings.locked(tx, identity)
        if locked is not None:
            return locked
    raise NoSuchThing("there is no such Appointment")


async def case_of_meeting(
    ctx: Context, tx: Transaction, meeting_id: str, case_id: str
) -> tuple[Meeting, CareTask, Team]:
    """Load and lock the team of a case, the meeting and the case, in the order in which all lock them."""
    identity = fhir.asked.row_id(case_id)
    if await queries.meetings.visible(tx, fhir.asked.row_id(meeting_id), by=ctx.caller) is None:
        raise NoSuchThing("there is no such Appointment")
    found = await queries.tasks.visible(tx, identity, by=ctx.caller)
    if found is None:
        raise NoSuchThing("there is no such case", expression="Parameters.parameter.where(name='case')")
    its_team = await queries.teams.locked(tx, found.team_id)
    its_meeting = await meeting(ctx, tx, meeting_id)
    locked = await queries.tasks.locked(tx, identity)
    if locked is None:
        raise NoSuchThing("there is no such case", expression="Parameters.parameter.where(name='case')")
    return its_meeting, locked, its_team


async def team_of_patient(ctx: Context, tx: Transaction, data: Mapping[str, Any], *, member: str) -> Team:
    """Load and lock the caller's active team of the patient, and of the referral where `basedOn` names
    one.
    """
    findings = Findings()
    expression = f"{data['resourceType']}.{member}"
    patient = fhir.asked.referred(data.get(member), "Patient", expression=expression, findings=findings)
    referral = fhir.asked.optional_referral(data, findings=findings)
    findings.refuse()
    teams = [
        one
        for one in await queries.teams.of_patient_visible(tx, patient or "", by=ctx.caller)
        if referral is None or one.referral_id == referral
    ]
    if not teams:
        raise NoSuchThing("you are in no team of such a patient", expression=expression)
    active = [one for one in teams if one.status == TeamState.ACTIVE]
    if len(active) > 1:
        raise Invalid(
            "the patient has two teams of yours: name the referral",
            expression=f"{data['resourceType']}.basedOn",
        )
    if not active:
        raise TeamHasEnded("the team has ended with its referral")
    locked = await team(ctx, tx, str(active[0].id))
    if locked.status != TeamState.ACTIVE:
        raise TeamHasEnded("the team has ended with its referral")
    return locked
