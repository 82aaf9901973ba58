"""What scheduling does when an event is received, or when a timer falls due.

- Events of the referral topic about one patient come in order, so what is unknown here was never accepted:
  revoking, closing or merging it ends nothing. An authorization of an unknown referral is held (`NotYet`).
- What comes after the end of a referral changes nothing.
- What is accepted for a patient who has died is kept as ended, whichever of the two comes first.
"""

from typing import cast
from uuid import UUID

from services.scheduling import queries, use_cases
from services.scheduling.use_cases.accept import Acceptance
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import PatientDischarged, TeamEvent
from shared.events.catalog.notifications import (
    AppointmentAnswered,
    OfferAnswered,
    PatientNotTold,
    PatientTold,
)
from shared.events.catalog.referral import (
    AuthorizationEvent,
    PatientChanged,
    ReferralAccepted,
    ReferralAnotherTimeRequested,
    ReferralClosed,
    ReferralMerged,
    ReferralPriorityChanged,
    ReferralRevoked,
)
from shared.events.inbox.handling import EventBatch, EventContext, NotYet
from shared.reasons import Reason
from shared.timers import Timer


async def on_start(ctx: Context, tx: Transaction) -> None:
    """Seed the rosters that there are not yet, bring the directory up to date, offer free time to those who
    wait, name visits that no longer fit, withdraw offers of times that are gone, and see that every site
    keeps its forecasts and asks every morning for what was not recorded.

    clinic.yaml may have another meeting hour or another programme since the last start.
    """
    ctx = await use_cases.seed_rosters.run(ctx, tx)
    await use_cases.publish_directory.run(ctx, tx)
    await use_cases.offer_time.at_every_site(ctx, tx)
    await use_cases.replan.at_every_site(ctx, tx)
    await use_cases.freed_time.withdraw_gone_everywhere(ctx, tx)
    await use_cases.keep_forecast.start_nights(ctx, tx)
    await use_cases.record_visits.start_mornings(ctx, tx)
    await use_cases.plan_first_visits.at_every_site(ctx, tx)


async def on_referrals_accepted(
    ctx: Context, tx: Transaction, batch: EventBatch, *, cache: AvailabilityCache
) -> None:
    """Make the guarantees and book the first appointments; a referral that comes again changes nothing."""
    known = await use_cases.accept.known(tx, [item.event for item in batch])
    new: list[tuple[EventContext, Acceptance]] = []
    for item in batch:
        if isinstance(item.event, ReferralAccepted) and item.event.referral not in known.referrals:
            known.referrals.add(item.event.referral)
            acceptance = use_cases.accept.prepare(item.ctx, item.event)
            if acceptance.referral.patient_id in known.died:
                await use_cases.accept.refuse(item.ctx, tx, acceptance)
            else:
                new.append((item, acceptance))
    if not new:
        return
    acceptances = [acceptance for _, acceptance in new]
    await use_cases.accept.take_times(ctx, tx, acceptances, cache=cache)
    publications = []
    for item, acceptance in new:
        with item.span():
            publications += use_cases.accept.decide(item.ctx, acceptance)
    await use_cases.accept.save(ctx, tx, acceptances, publications=publications)


async def on_another_time_requested(
    ctx: Context, tx: Transaction, event: ReferralAnotherTimeRequested
) -> None:
    """Learn on which days the patient cannot come."""
    await use_cases.away.run(ctx, tx, event)


async def on_priority_changed(ctx: Context, tx: Transaction, event: ReferralPriorityChanged) -> None:
    """Move the end of the guarantee to the day of the new priority."""
    await use_cases.change_priority.run(ctx, tx, event)


async def on_referral_revoked(ctx: Context, tx: Transaction, event: ReferralRevoked) -> None:
    """Cancel what the sender revoked."""
    await use_cases.end.run(
        ctx, tx, UUID(event.referral), because=Reason.of("referral-revoked"), patients=True
    )


async def on_referral_closed(ctx: Context, tx: Transaction, event: ReferralClosed) -> None:
    """Cancel what a coordinator closed."""
    await use_cases.end.run(ctx, tx, UUID(event.referral), because=Reason.of("referral-closed"))


async def on_referral_merged(ctx: Context, tx: Transaction, event: ReferralMerged) -> None:
    """Cancel what was booked for a duplicate; the first referral keeps its own."""
    await use_cases.end.run(ctx, tx, UUID(event.referral), because=Reason.of("referral-merged"))


async def on_authorization_changed(ctx: Context, tx: Transaction, event: AuthorizationEvent) -> None:
    """Reconcile the series with the payer's newest answer: pended, decided or cancelled."""
    if not await use_cases.authorize.run(ctx, tx, event):
        raise NotYet(f"referral {event.referral} was not accepted yet")


async def on_patient_discharged(ctx: Context, tx: Transaction, event: PatientDischarged) -> None:
    """Cancel the sessions that a discharged patient no longer needs."""
    if not await use_cases.end.care(ctx, tx, UUID(event.referral)):
        raise NotYet(f"referral {event.referral} was not accepted yet")


async def on_teams(_: Context, tx: Transaction, batch: EventBatch) -> None:
    """Keep who is in care teams now; a team that ends with its referral keeps the members it had."""
    found = [cast(TeamEvent, received.event) for received in batch]
    teams = {UUID(event.referral): event.staying for event in found if not event.has_ended}
    known = await queries.referrals.keep_teams(tx, teams)
    for _received, event in zip(batch, found, strict=True):
        if UUID(event.referral) in teams and UUID(event.referral) not in known:
            batch.defer(NotYet(f"referral {event.referral} was not accepted yet"))


async def on_patient_changed(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember who a patient is, and call off what is still to come of one who has died."""
    await use_cases.follow_patient.run(ctx, tx, event)


async def on_appointment_answered(
    ctx: Context, tx: Transaction, event: AppointmentAnswered, *, cache: AvailabilityCache
) -> None:
    """Do what a patient answered about a visit."""
    await use_cases.hear_patient.answered(ctx, tx, event, cache=cache)


async def on_offer_answered(ctx: Context, tx: Transaction, event: OfferAnswered) -> None:
    """Do what a patient answered about a time that was offered."""
    await use_cases.answer_offer.by_link(ctx, tx, event)


async def on_patient_told(ctx: Context, tx: Transaction, event: PatientTold) -> None:
    """Take what a message has told from the telephone list."""
    await use_cases.hear_patient.told(ctx, tx, event)


async def on_patient_not_told(ctx: Context, tx: Transaction, event: PatientNotTold) -> None:
    """Put what no message told on the telephone list."""
    await use_cases.hear_patient.not_told(ctx, tx, event)


async def on_at_risk_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Evaluate a guarantee that ends soon."""
    await use_cases.evaluate_guarantee.run(ctx, tx, UUID(timer.ref))


async def on_guarantee_due(ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache) -> None:
    """Evaluate a guarantee at its end; where it broke, the earliest time at all is taken."""
    await use_cases.evaluate_guarantee.at_its_end(ctx, tx, UUID(timer.ref), cache=cache)


async def on_second_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Evaluate a guarantee at the end of its second promise."""
    await use_cases.evaluate_guarantee.at_its_second_end(ctx, tx, UUID(timer.ref))


async def on_hold_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """End a hold that has expired."""
    await use_cases.holds.expire(ctx, tx, UUID(timer.ref))


async def on_offer_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Offer the freed time of a site to those who wait; what was freed may have been a visit to plan anew."""
    await use_cases.offer_time.run(ctx, tx, timer.ref)
    await use_cases.replan.again(ctx, tx, timer.ref)


async def on_round_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Offer a freed time to the next patients, or end that."""
    await use_cases.offer_rounds.run(ctx, tx, UUID(timer.ref))


async def on_forecast_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Keep the forecast of a site, as it is every night, and what came true of earlier ones."""
    await use_cases.keep_forecast.run(ctx, tx, timer.ref)


async def on_record_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Ask for what nobody recorded of the visits of the day before."""
    await use_cases.record_visits.run(ctx, tx, timer.ref)


async def on_recheck_due(ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache) -> None:
    """Look again at the visits of a site that are to be planned anew: one of them begins.

    One for which nobody is there is called off.
    """
    await use_cases.call_off_unattended.run(ctx, tx, timer.ref, cache=cache)
    await use_cases.replan.again(ctx, tx, timer.ref)


async def on_look_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look once more at the visits of a site whose roster changed: one may have been booked by the old
    one.
    """
    await use_cases.settle_visits.run(ctx, tx, timer.ref)


async def on_try_due(ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache) -> None:
    """Try to book a patient who waits."""
    await use_cases.try_waiting.run(ctx, tx, UUID(timer.ref), cache=cache)


async def on_plan_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Plan the first visits of a site whose day follows."""
    await use_cases.plan_first_visits.run(ctx, tx, timer.ref)


async def on_planned_day_due(
    ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache
) -> None:
    """Book the day that was planned for a first visit."""
    await use_cases.book_planned_day.run(ctx, tx, timer.ref, cache=cache)
