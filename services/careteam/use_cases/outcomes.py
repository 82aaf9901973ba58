"""Outcomes: what the patient answered, scored here and compared with the baseline."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.outcomes import QUESTIONNAIRE_URL, Scored
from services.careteam.models import NPRS, OSWESTRY, Answers, Instrument, Outcome, Plan, Team
from services.careteam.states import PlanState
from services.careteam.use_cases import reviews
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.received import Received


class BeforeTheBaseline(Invalid):
    """A measurement that is older than the baseline would change what everything is compared with."""


async def record_rating(ctx: Context, tx: Transaction, team: Team, *, received: Received, by: str) -> Outcome:
    """Record an answer to the pain rating for a locked team's patient."""
    findings = Findings()
    fhir.outcomes.check_rating(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="effectiveDateTime", now=ctx.at, findings=findings)
    findings.refuse()
    score = rules.scoring.nprs_score(received.data.get("valueInteger"), expression="Observation.valueInteger")
    known = await queries.outcomes.of_team(tx, team.id)
    outcome = _outcome(team, NPRS, score, at=at, known=known)
    scored = _scored(outcome, NPRS, known=known, expression="Observation.effectiveDateTime")
    overlay = fhir.outcomes.observation_overlay(ctx, outcome, scored, performer=by)
    overlay |= fhir.outcomes.rating_overlay(received.data)
    await store.put(tx, outcome, received.raw, at=ctx.at, overlay=overlay)
    await _tell(ctx, tx, team, outcome, scored)
    return outcome


async def record_answers(
    ctx: Context, tx: Transaction, team: Team, *, received: Received, by: str
) -> Answers:
    """Record the answers to the Oswestry questionnaire and the score that is made from them."""
    findings = Findings()
    given = fhir.outcomes.oswestry_answers(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="authored", now=ctx.at, findings=findings)
    findings.refuse()
    score = rules.scoring.oswestry_score(given)
    known = await queries.outcomes.of_team(tx, team.id)
    answers = Answers(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        questionnaire=QUESTIONNAIRE_URL,
        authored_at=at,
    )
    outcome = _outcome(team, OSWESTRY, score, at=at, known=known, answers_id=answers.id)
    scored = _scored(outcome, OSWESTRY, known=known, expression="QuestionnaireResponse.authored")

    overlay = fhir.outcomes.answers_overlay(ctx, answers, author=by)
    await store.put(tx, answers, received.raw, at=ctx.at, overlay=overlay)
    rendered = fhir.outcomes.scored_observation(outcome, scored)
    overlay = fhir.outcomes.observation_overlay(ctx, outcome, scored, performer=by)
    await store.put(tx, outcome, rendered, at=ctx.at, overlay=overlay)
    await _tell(ctx, tx, team, outcome, scored)
    return answers


def _outcome(
    team: Team,
    instrument: Instrument,
    score: Decimal,
    *,
    at: datetime,
    known: Sequence[Outcome],
    answers_id: UUID | None = None,
) -> Outcome:
    return Outcome(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        instrument=instrument.id,
        code=instrument.loinc,
        score=score,
        effective_at=at,
        baseline=all(one.instrument != instrument.id for one in known),
        answers_id=answers_id,
    )


def _scored(outcome: Outcome, instrument: Instrument, *, known: Sequence[Outcome], expression: str) -> Scored:
    band = rules.scoring.oswestry_band(outcome.score) if instrument is OSWESTRY else None
    if outcome.baseline:
        return Scored(instrument=instrument, score=outcome.score, progress=None, band=band)
    baseline = next(one for one in known if one.baseline and one.instrument == instrument.id)
    if outcome.effective_at < baseline.effective_at:
        raise BeforeTheBaseline(
            f"the baseline was measured at {fhir.elements.instant(baseline.effective_at)}, later than this",
            expression=expression,
        )
    found = rules.progress.progress(instrument, baseline=baseline.score, score=outcome.score)
    return Scored(instrument=instrument, score=outcome.score, progress=found, band=band)


async def _tell(ctx: Context, tx: Transaction, team: Team, outcome: Outcome, scored: Scored) -> None:
    """Tell what was recorded; where a review waits for it, judge it now."""
    publishing.collect(
        tx, careteam.OutcomeRecorded, of=outcome, key=team.patient_id, focus=outcome.body, ctx=ctx
    )
    plan: Plan | None = await queries.plans.of_team(tx, team.id)
    if plan is None or plan.status != PlanState.ACTIVE or plan.awaited_review is None:
        return
    if scored.progress is None:
        return
    plan.awaited_review = None
    if scored.progress.off_track:
        await reviews.tell_off_track(ctx, tx, team, outcome)
