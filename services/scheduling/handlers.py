"""What scheduling does when it hears an event, or when a timer falls due.

- Events of the referral topic about one patient come in order, so what is unknown here was never accepted:
  revoking, closing or merging it ends nothing. An authorization of an unknown referral is held (`NotYet`).
- What comes after the end of a referral changes nothing.
"""

from uuid import UUID

from services.scheduling import use_cases
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import PatientDischarged
from shared.events.catalog.referral import (
    AuthorizationEvent,
    ReferralAccepted,
    ReferralClosed,
    ReferralEvent,
    ReferralMerged,
    ReferralRevoked,
)
from shared.events.inbox.handling import EventBatch, NotYet
from shared.timers import Timer


async def on_start(ctx: Context, tx: Transaction) -> None:
    """Offer free time to those who wait: clinic.yaml may have new hours since the last start."""
    await use_cases.open_desk(ctx, tx)


async def on_referrals_accepted(
    ctx: Context, tx: Transaction, run: EventBatch, *, cache: AvailabilityCache
) -> None:
    """Make the promises and book the first appointments."""
    heard = [one.event for one in run if isinstance(one.event, ReferralAccepted)]
    new = await use_cases.find_new(tx, heard)
    accepted = {
        place: use_cases.accept(one.ctx, heard[place]) for place, one in enumerate(run) if place in new
    }
    if accepted:
        await use_cases.place(ctx, tx, list(accepted.values()), cache=cache)
    for place, one in enumerate(run):
        if place in accepted:
            with one.span():
                await use_cases.record_accepted(one.ctx, tx, accepted[place])


async def on_referral_revoked(ctx: Context, tx: Transaction, event: ReferralRevoked) -> None:
    """Cancel what the sender revoked."""
    await _end(ctx, tx, event, because="the referral was revoked", patients=True)


async def on_referral_closed(ctx: Context, tx: Transaction, event: ReferralClosed) -> None:
    """Cancel what a coordinator closed."""
    await _end(ctx, tx, event, because="the referral was closed", patients=False)


async def on_referral_merged(ctx: Context, tx: Transaction, event: ReferralMerged) -> None:
    """Cancel what was booked for a duplicate; the first referral keeps its own."""
    because = "the referral was merged into an earlier one"
    await _end(ctx, tx, event, because=because, patients=False)


async def _end(ctx: Context, tx: Transaction, event: ReferralEvent, *, because: str, patients: bool) -> None:
    await use_cases.end_referral(ctx, tx, UUID(event.referral), because=because, patients=patients)


async def on_authorization_changed(ctx: Context, tx: Transaction, event: AuthorizationEvent) -> None:
    """Settle the series by the payer's newest answer: pended, decided or cancelled."""
    if not await use_cases.hear_authorization(ctx, tx, event):
        raise NotYet(f"referral {event.referral} was not accepted yet")


async def on_patient_discharged(ctx: Context, tx: Transaction, event: PatientDischarged) -> None:
    """Cancel the sessions that a discharged patient no longer needs."""
    if not await use_cases.end_care(ctx, tx, UUID(event.referral)):
        raise NotYet(f"referral {event.referral} was not accepted yet")


async def on_at_risk_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Look at a promise that ends soon."""
    await use_cases.look_at_promise(ctx, tx, UUID(timer.ref))


async def on_promise_due(ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache) -> None:
    """Look at a promise at its end; where it broke, the earliest time at all is taken."""
    await use_cases.promise_is_due(ctx, tx, UUID(timer.ref), cache=cache)


async def on_offer_due(ctx: Context, tx: Transaction, timer: Timer) -> None:
    """Offer the freed time of a site to those who wait."""
    await use_cases.offer_time(ctx, tx, timer.ref)


async def on_try_due(ctx: Context, tx: Transaction, timer: Timer, *, cache: AvailabilityCache) -> None:
    """Try to book a patient who waits."""
    await use_cases.try_waiting(ctx, tx, UUID(timer.ref), cache=cache)
