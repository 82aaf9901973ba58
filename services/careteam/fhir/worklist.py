"""The rows of careteam's worklist, as they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import texts
from services.careteam.fhir.elements import decoded, practitioner
from services.careteam.models.rows import CareTask, Plan, Team
from shared.context import Context
from shared.fhir.people import listed
from shared.fhir.reasons import concept
from shared.fhir.worklists import WorklistEntry, WorklistRow
from shared.people import KnownPerson
from shared.reasons import Reason

Actions = Sequence[Mapping[str, Any]]


def of_task(
    ctx: Context,
    entry: WorklistEntry,
    task: CareTask,
    *,
    team: Team,
    person: KnownPerson | None,
    actions: Actions,
) -> WorklistRow:
    """Show a case or an action; why is what its Task says."""
    data = decoded(task.body)
    return WorklistRow(
        entry=entry,
        resource=f"Task/{task.id}",
        focus=str(data["focus"]["reference"]),
        state=task.state,
        reason=data.get("reasonCode") or {"text": data.get("description", "")},
        owner=practitioner(ctx, task.owner),
        actions=actions,
        **_about(team, person),
    )


def of_plan(
    ctx: Context,
    entry: WorklistEntry,
    plan: Plan,
    *,
    team: Team,
    person: KnownPerson | None,
    actions: Actions,
) -> WorklistRow:
    """Show a plan that nobody has activated."""
    return WorklistRow(
        entry=entry,
        resource=f"CarePlan/{plan.id}",
        focus=f"CareTeam/{team.id}",
        state=plan.status,
        reason=concept([Reason.of("to-activate-plan")], texts.REASONS),
        owner=practitioner(ctx, plan.owner),
        actions=actions,
        **_about(team, person),
    )


def _about(team: Team, person: KnownPerson | None) -> dict[str, Any]:
    return {
        "site": team.site,
        "patient_id": team.patient_id,
        "patient": listed(team.patient_id, person),
        "referral": team.referral_id,
        "programme": team.programme,
    }
