"""Plans and their goals."""

from uuid import UUID

from services.careteam.models.rows import Goal, Plan
from services.careteam.models.tables import GoalTable, PlanTable
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction

_OF_TEAM = "SELECT * FROM plan WHERE team_id = $1 FOR UPDATE"
_LOCK = "SELECT * FROM plan WHERE id = $1 FOR UPDATE"
_TEAM_OF = "SELECT team_id FROM plan WHERE id = $1"
_GOALS = "SELECT * FROM goal WHERE plan_id = $1 ORDER BY id FOR UPDATE"


async def of_team(tx: Transaction, team_id: UUID) -> Plan | None:
    """Lock the plan of a team."""
    return await tx.row(Plan, _OF_TEAM, team_id)


async def locked(tx: Transaction, plan_id: UUID) -> Plan | None:
    """Lock a plan."""
    return await tx.row(Plan, _LOCK, plan_id)


async def team_of(tx: Transaction, plan_id: UUID) -> UUID | None:
    """Return the id of the team of a plan."""
    found: UUID | None = await tx.value(_TEAM_OF, plan_id)
    return found


async def visible(tx: Transaction, plan_id: UUID, *, by: Principal, lock: bool = False) -> Plan | None:
    """Read or lock a plan inside the caller's row scope."""
    return await scope.row(tx, Plan, PlanTable, plan_id, within=scope.plan(by), lock=lock)


async def goals(tx: Transaction, plan_id: UUID) -> list[Goal]:
    """Lock every goal that a plan ever had, the oldest first."""
    return await tx.rows(Goal, _GOALS, plan_id)


async def goal_visible(tx: Transaction, goal_id: UUID, *, by: Principal, lock: bool = False) -> Goal | None:
    """Read or lock a goal inside the caller's row scope."""
    return await scope.row(tx, Goal, GoalTable, goal_id, within=scope.goal(by), lock=lock)
