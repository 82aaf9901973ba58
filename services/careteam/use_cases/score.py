"""Score a measurement beside its baseline, and follow it up where a review waits for it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from uuid import UUID

from services.careteam import queries, rules, texts
from services.careteam.fhir.outcomes import Scored
from services.careteam.models.instruments import OSWESTRY, Instrument
from services.careteam.models.rows import Outcome, Team
from services.careteam.states import PlanState
from services.careteam.use_cases import record, review_progress
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid
from shared.events.catalog.careteam import OutcomeRecorded
from shared.reasons import Reason


class BeforeTheBaseline(Invalid):
    """A measurement that is older than the baseline would change what everything is compared with."""


def run(
    team: Team,
    instrument: Instrument,
    score: Decimal,
    *,
    at: datetime,
    zone: tzinfo,
    known: Sequence[Outcome],
    expression: str,
    answers_id: UUID | None = None,
) -> tuple[Outcome, Scored]:
    """Make the outcome of a score; raises BeforeTheBaseline for one that is older than its baseline."""
    baseline = rules.progress.baseline_of(known, instrument=instrument)
    if baseline is not None and at < baseline.effective_at:
        why = Reason.of("before-the-baseline", measured_at=baseline.effective_at)
        raise BeforeTheBaseline.because(why, texts.REASONS, expression=expression, zone=zone)
    outcome = Outcome(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        instrument=instrument.id,
        code=instrument.loinc,
        score=score,
        effective_at=at,
        baseline=baseline is None,
        answers_id=answers_id,
    )
    band = rules.scoring.oswestry_band(score) if instrument is OSWESTRY else None
    scored = Scored(instrument=instrument, score=score, progress=None, band=band)
    if baseline is None:
        return outcome, scored
    change = rules.progress.progress(instrument, baseline=baseline.score, score=score)
    return outcome, replace(scored, progress=change)


async def follow_up(ctx: Context, tx: Transaction, team: Team, outcome: Outcome, *, scored: Scored) -> None:
    """Publish what was recorded; where a review waits for it, judge it now."""
    await record.publish(ctx, tx, OutcomeRecorded, outcome)
    plan = await queries.plans.of_team(tx, team.id)
    if plan is None or plan.status != PlanState.ACTIVE or plan.awaited_review is None:
        return
    if scored.progress is None:
        return
    await tx.update(plan, awaited_review=None)
    if scored.progress.off_track:
        await review_progress.bring_off_track(ctx, tx, team, outcome)
