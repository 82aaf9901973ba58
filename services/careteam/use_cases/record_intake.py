"""Keep the intake form that a patient filled in before the first visit, for the team to read."""

from services.careteam import fhir, queries
from services.careteam.models.rows import Answers
from services.careteam.states import TeamState
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.notifications import IntakeAnswered
from shared.events.inbox.handling import NotYet
from shared.fhir import intake, store


async def run(ctx: Context, tx: Transaction, event: IntakeAnswered) -> None:
    """Keep the answers with the referral's team; raises NotYet while there is none.

    Of a referral that has ended meanwhile nothing is kept: nobody cares for the patient here.
    """
    referral_id = event.referral
    await tx.lock_names([referral_id])
    team = (await queries.teams.of_referrals(tx, [referral_id])).get(referral_id)
    if team is None and await queries.teams.ended_referrals(tx, [referral_id]):
        return
    if team is None:
        raise NotYet(f"referral {referral_id} has no team yet")
    if team.status != TeamState.ACTIVE:
        return
    answers = Answers(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        questionnaire=intake.URL,
        authored_at=event.authored,
    )
    body = {name: value for name, value in event.focus.items() if name not in ("id", "meta")}
    await store.insert(tx, answers, body, at=ctx.at, overlay=fhir.outcomes.intake_overlay(ctx, answers))
