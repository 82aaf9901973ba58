"""Read what the rows of a worklist are about, for a whole page by a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.careteam import queries
from services.careteam.models.rows import CareTask, KnownPatient, Plan, Team
from shared.context import Context
from shared.db import Transaction
from shared.fhir.worklists import WorklistEntry
from shared.people import KnownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOfPage:
    """What stands behind the entries of a page, by their ids; teams by their own.

    `people` has the patients of teams that the caller may see: who chairs a meeting sees a case of others,
    and not who it is about.
    """

    tasks: Mapping[UUID, CareTask]
    plans: Mapping[UUID, Plan]
    teams: Mapping[UUID, Team]
    people: Mapping[UUID, KnownPerson | None]


async def run(ctx: Context, tx: Transaction, entries: Sequence[WorklistEntry]) -> WorkOfPage:
    """Read the Tasks and plans of a page with their teams, as they now are."""
    of_plans = [entry.id for entry in entries if entry.kind == "plan"]
    of_tasks = [entry.id for entry in entries if entry.kind != "plan"]
    tasks = await queries.worklist.tasks(tx, of_tasks) if of_tasks else ()
    plans = await queries.worklist.plans(tx, of_plans) if of_plans else ()
    named = {*(task.team_id for task in tasks), *(plan.team_id for plan in plans)}
    if not named:
        return WorkOfPage(tasks={}, plans={}, teams={}, people={})
    teams, visible = await queries.worklist.teams(tx, named, by=ctx.caller)
    known = await queries.worklist.people(tx, {teams[team_id].patient_id for team_id in visible})
    return WorkOfPage(
        tasks={task.id: task for task in tasks},
        plans={plan.id: plan for plan in plans},
        teams=teams,
        people={team_id: _person(teams[team_id], known) for team_id in visible},
    )


def _person(team: Team, known: Mapping[str, KnownPatient]) -> KnownPerson | None:
    """Return who the patient is by what was said last, else by the first booking."""
    said = known.get(team.patient_id)
    return team.person if said is None else said.person
