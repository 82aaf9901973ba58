"""Record the answers to the Oswestry questionnaire and the score that is made from them."""

from services.careteam import fhir, queries, rules
from services.careteam.fhir.questionnaire import OSWESTRY_URL
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.instruments import OSWESTRY
from services.careteam.models.rows import Answers, Team
from services.careteam.use_cases import score
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.fhir.received import Received


async def run(ctx: Context, tx: Transaction, team: Team, *, received: Received, by: str) -> Answers:
    """Record the answers of a locked team's patient, and their score as an Observation."""
    findings = Findings(urls=ctx.urls)
    given = fhir.outcomes.oswestry_answers(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="authored", now=ctx.at, findings=findings)
    findings.refuse()
    percent = rules.scoring.oswestry_score(given)
    answers = Answers(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        questionnaire=OSWESTRY_URL,
        authored_at=at,
    )
    outcome, scored = score.run(
        team,
        OSWESTRY,
        percent,
        at=at,
        zone=ctx.clinic.site(team.site).zone,
        known=await queries.outcomes.of_team(tx, team.id),
        expression="QuestionnaireResponse.authored",
        answers_id=answers.id,
    )
    overlay = fhir.outcomes.answers_overlay(ctx, answers, author=by)
    await store.insert(tx, answers, received.raw, at=ctx.at, overlay=overlay)
    rendered = fhir.outcomes.scored_observation(outcome, scored)
    overlay = fhir.outcomes.observation_overlay(ctx, outcome, scored, performer=by)
    await store.insert(tx, outcome, rendered, at=ctx.at, overlay=overlay)
    await score.follow_up(ctx, tx, team, outcome, scored=scored)
    return answers
