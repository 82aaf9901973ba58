"""Outcomes: what the patient answered, scored here and compared with the baseline."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.outcomes import QUESTIONNAIRE_URL, Scored
from services.careteam.models import NPRS, OSWESTRY, Answers, Instrument, Outcome, Plan, Team
from services.careteam.settings import Settings
from services.careteam.states import PlanState
from services.careteam.use_cases import reviews
from shared.act import Act
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog import careteam
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.received import Received


class BeforeTheBaseline(Invalid):
    """A measurement that is older than the baseline would change what everything is compared with."""


async def record_rating(
    tx: Transaction, team: Team, *, received: Received, by: str, settings: Settings, act: Act
) -> Outcome:
    """Record an answer to the pain rating for a locked team's patient."""
    findings = Findings()
    fhir.outcomes.check_rating(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="effectiveDateTime", now=act.at, findings=findings)
    findings.refuse()
    score = rules.scoring.nprs_score(received.data.get("valueInteger"), expression="Observation.valueInteger")
    known = await queries.outcomes.of_team(tx, team.id)
    outcome = _outcome(team, NPRS, score, at=at, known=known)
    scored = _scored(outcome, NPRS, known=known, expression="Observation.effectiveDateTime")
    overlay = fhir.outcomes.observation_overlay(outcome, scored, performer=by, settings=settings)
    overlay |= fhir.outcomes.rating_overlay(received.data)
    await store.put(tx, outcome, received.raw, at=act.at, overlay=overlay)
    await _tell(tx, team, outcome, scored, settings=settings, act=act)
    return outcome


async def record_answers(
    tx: Transaction, team: Team, *, received: Received, by: str, settings: Settings, act: Act
) -> Answers:
    """Record the answers to the Oswestry questionnaire and the score that is made from them."""
    findings = Findings()
    given = fhir.outcomes.oswestry_answers(received.data, findings=findings)
    at = fhir.outcomes.measured_at(received.data, member="authored", now=act.at, findings=findings)
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

    overlay = fhir.outcomes.answers_overlay(answers, author=by, settings=settings)
    await store.put(tx, answers, received.raw, at=act.at, overlay=overlay)
    rendered = fhir.outcomes.scored_observation(outcome, scored)
    overlay = fhir.outcomes.observation_overlay(outcome, scored, performer=by, settings=settings)
    await store.put(tx, outcome, rendered, at=act.at, overlay=overlay)
    await _tell(tx, team, outcome, scored, settings=settings, act=act)
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


async def _tell(
    tx: Transaction, team: Team, outcome: Outcome, scored: Scored, *, settings: Settings, act: Act
) -> None:
    """Tell what was recorded; where a review waits for it, judge it now."""
    publishing.publish(
        tx, careteam.OUTCOME_RECORDED, of=outcome, key=team.patient_id, focus=outcome.body, act=act
    )
    plan: Plan | None = await queries.plans.of_team(tx, team.id)
    if plan is None or plan.status != PlanState.ACTIVE or plan.awaited_review is None:
        return
    if scored.progress is None:
        return
    plan.awaited_review = None
    if scored.progress.off_track:
        await reviews.tell_off_track(tx, team, outcome, settings=settings, act=act)
