"""Plans and their goals."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.careteam.models import Goal, Plan
from services.careteam.queries import scope
from shared.auth.principal import Principal
from shared.db import Transaction


async def of_team(tx: Transaction, team_id: UUID) -> Plan | None:
    """Load the plan of a team, locked."""
    return await tx.first(
        select(Plan)
        .where(col(Plan.team_id) == team_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def locked(tx: Transaction, plan_id: UUID) -> Plan | None:
    """Load a plan, locked."""
    return await tx.get(Plan, plan_id, lock=True)


async def visible(tx: Transaction, plan_id: UUID, *, by: Principal) -> Plan | None:
    """Load a plan inside the caller's row scope."""
    return await tx.first(select(Plan).where(col(Plan.id) == plan_id, scope.plan(by)))


async def goals(tx: Transaction, plan_id: UUID) -> Sequence[Goal]:
    """Load every goal that a plan ever had, locked, the oldest first."""
    return await tx.all(
        select(Goal)
        .where(col(Goal.plan_id) == plan_id)
        .order_by(col(Goal.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def goal_visible(tx: Transaction, goal_id: UUID, *, by: Principal) -> Goal | None:
    """Load a goal inside the caller's row scope."""
    return await tx.first(select(Goal).where(col(Goal.id) == goal_id, scope.goal(by)))


async def goal_locked(tx: Transaction, goal_id: UUID) -> Goal | None:
    """Load a goal, locked."""
    return await tx.get(Goal, goal_id, lock=True)
