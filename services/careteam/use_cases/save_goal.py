"""Save a goal: its words, its target, its lifecycle."""

from services.careteam import fhir, rules
from services.careteam.fhir.request_parsing import Findings, unchanged
from services.careteam.models.rows import Goal, Team
from services.careteam.states import GoalState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.fhir.received import Received


async def run(ctx: Context, tx: Transaction, team: Team, goal: Goal, *, received: Received) -> None:
    """Change a goal; team and goal are locked and the version was compared."""
    rules.teams.must_be_active(team)
    findings = Findings(urls=ctx.urls)
    unchanged(received.data, fhir.elements.decoded(goal.body), members=("subject",), findings=findings)
    before = GoalState(goal.lifecycle_status)
    after = fhir.plans.asked_goal_state(received.data, before=before, findings=findings)
    findings.extend(rules.plans.goal_problems(before, to=after))
    findings.refuse()
    goal.lifecycle_status = after
    await record.change(ctx, tx, goal, resource=received.raw)
