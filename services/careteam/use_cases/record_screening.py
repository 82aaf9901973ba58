"""Record the answered STarT Back tool, its score as an Observation, and what it proposes.

A proposal changes nothing by itself: where the clinic proposes another programme for the risk, the case goes
on the agenda, and the meeting decides.
"""

from collections.abc import Mapping
from decimal import Decimal

from services.careteam import fhir
from services.careteam.fhir.questionnaire import START_BACK_URL
from services.careteam.fhir.request_parsing import Findings
from services.careteam.models.instruments import START_BACK
from services.careteam.models.rows import Answers, Outcome, Team
from services.careteam.rules.scoring import Unscorable
from services.careteam.use_cases import put_on_agenda, record
from shared.context import Context
from shared.db import Transaction
from shared.errors import Problem
from shared.events.catalog.careteam import OutcomeRecorded
from shared.fhir import start_back, store
from shared.fhir.received import Received
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, team: Team, *, received: Received, by: str) -> Answers:
    """Record the answers of a locked team's patient; raises Unscorable where an item is missing."""
    findings = Findings(urls=ctx.urls)
    given = fhir.screening.answers(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="authored", now=ctx.at, findings=findings)
    findings.refuse()
    scored = _scored(given)
    answers = Answers(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        questionnaire=START_BACK_URL,
        authored_at=at,
    )
    overlay = fhir.outcomes.answers_overlay(ctx, answers, author=by)
    await store.insert(tx, answers, received.raw, at=ctx.at, overlay=overlay)
    outcome = Outcome(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        instrument=START_BACK,
        code=start_back.TOTAL,
        score=Decimal(scored.total),
        effective_at=at,
        baseline=False,
        answers_id=answers.id,
    )
    await _insert(ctx, tx, team, outcome, scored=scored, by=by)
    return answers


def _scored(given: Mapping[str, str]) -> start_back.StartBack:
    scored = start_back.score(given)
    if scored is None:
        raise Unscorable(
            problems=[
                Problem(
                    text=f"{item} is answered once, by {' or '.join(start_back.answers_of(item))}; "
                    "what is incomplete is not scored",
                    expression=f"QuestionnaireResponse.item.where(linkId='{item}').answer",
                )
                for item in start_back.unanswered(given)
            ]
        )
    return scored


async def _insert(
    ctx: Context, tx: Transaction, team: Team, outcome: Outcome, *, scored: start_back.StartBack, by: str
) -> None:
    now = ctx.clinic.programme(team.programme)
    proposed = ctx.clinic.proposed_beside(scored.risk, programme=now)
    rendered = fhir.screening.observation(outcome, scored, proposed=proposed)
    overlay = fhir.screening.overlay(ctx, outcome, performer=by)
    await store.insert(tx, outcome, rendered, at=ctx.at, overlay=overlay)
    await record.publish(ctx, tx, OutcomeRecorded, outcome)
    if proposed is not None and proposed.id != now.id:
        why = Reason.of("other-programme-proposed", risk=scored.risk, programme=proposed.name)
        await put_on_agenda.run(ctx, tx, team, why=why, requester=by)
