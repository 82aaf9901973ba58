"""Record an answer to the pain rating, scored here and compared with the baseline."""

from services.careteam import fhir, queries, rules
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.instruments import NPRS
from services.careteam.models.rows import Outcome, Team
from services.careteam.use_cases import score
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.received import Received


async def run(ctx: Context, tx: Transaction, team: Team, *, received: Received, by: str) -> Outcome:
    """Record an answer to the pain rating for a locked team's patient."""
    findings, data = Findings(urls=ctx.urls), received.data
    fhir.outcomes.check_rating(data, findings=findings)
    at = fhir.outcomes.measured_at(data, member="effectiveDateTime", now=ctx.at, findings=findings)
    findings.refuse()
    points = rules.scoring.nprs_score(data.get("valueInteger"), expression="Observation.valueInteger")
    known = await queries.outcomes.of_team(tx, team.id)
    expression = "Observation.effectiveDateTime"
    zone = ctx.clinic.site(team.site).zone
    outcome, scored = score.run(team, NPRS, points, at=at, zone=zone, known=known, expression=expression)
    overlay = fhir.outcomes.observation_overlay(ctx, outcome, scored, performer=by)
    overlay |= fhir.outcomes.rating_overlay(data)
    await store.insert(tx, outcome, received.raw, at=ctx.at, overlay=overlay)
    await score.follow_up(ctx, tx, team, outcome, scored=scored)
    return outcome
