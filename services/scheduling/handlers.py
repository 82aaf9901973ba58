"""What scheduling does when it hears an event, or when a timer falls due.

- Events of the referral topic about one patient come in order, so what is unknown here was never accepted:
  revoking, closing or merging it ends nothing. An authorization of an unknown referral is held (`NotYet`).
- What comes after the end of a referral changes nothing.
"""

from uuid import UUID

from services.scheduling import fhir, use_cases
from services.scheduling.settings import Desk
from shared.act import Act
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, NotYet
from shared.timers import Timer


async def on_start(tx: Transaction, act: Act, *, desk: Desk) -> None:
    """Offer free time to those who wait: clinic.yaml may have new hours since the last start."""
    await use_cases.open_desk(tx, desk=desk, act=act)


async def on_referrals_accepted(tx: Transaction, run: EventBatch, *, desk: Desk) -> None:
    """Make the promises and book the first appointments."""
    heard = [fhir.accepted_referral(one.event) for one in run]
    new = await use_cases.find_new(tx, heard)
    accepted = {
        place: use_cases.accept(heard[place], desk=desk, act=one.act)
        for place, one in enumerate(run)
        if place in new
    }
    if accepted:
        await use_cases.place(tx, list(accepted.values()), desk=desk, act=run.act)
    for place, one in enumerate(run):
        if place in accepted:
            with one.span():
                await use_cases.record_accepted(tx, accepted[place], desk=desk, act=one.act)


async def on_referral_revoked(tx: Transaction, event: Event, act: Act, *, desk: Desk) -> None:
    """Cancel what the sender revoked."""
    await _end(tx, event, act, because="the referral was revoked", patients=True, desk=desk)


async def on_referral_closed(tx: Transaction, event: Event, act: Act, *, desk: Desk) -> None:
    """Cancel what a coordinator closed."""
    await _end(tx, event, act, because="the referral was closed", patients=False, desk=desk)


async def on_referral_merged(tx: Transaction, event: Event, act: Act, *, desk: Desk) -> None:
    """Cancel what was booked for a duplicate; the first referral keeps its own."""
    because = "the referral was merged into an earlier one"
    await _end(tx, event, act, because=because, patients=False, desk=desk)


async def _end(tx: Transaction, event: Event, act: Act, *, because: str, patients: bool, desk: Desk) -> None:
    referral_id = fhir.referral_of_request(event)
    await use_cases.end_referral(tx, referral_id, because=because, patients=patients, desk=desk, act=act)


async def on_authorization_changed(tx: Transaction, event: Event, act: Act, *, desk: Desk) -> None:
    """Settle the series by the payer's newest answer: pended, decided or cancelled."""
    referral_id = fhir.referral_of_claim(event)
    known = await use_cases.hear_authorization(tx, referral_id, event=event, desk=desk, act=act)
    if not known:
        raise NotYet(f"referral {referral_id} was not accepted yet")


async def on_patient_discharged(tx: Transaction, event: Event, act: Act, *, desk: Desk) -> None:
    """Cancel the sessions that a discharged patient no longer needs."""
    referral_id = fhir.referral_of_plan(event)
    if not await use_cases.end_care(tx, referral_id, desk=desk, act=act):
        raise NotYet(f"referral {referral_id} was not accepted yet")


async def on_at_risk_due(tx: Transaction, timer: Timer, act: Act, *, desk: Desk) -> None:
    """Look at a promise that ends soon."""
    await use_cases.look_at_promise(tx, UUID(timer.ref), desk=desk, act=act)


async def on_promise_due(tx: Transaction, timer: Timer, act: Act, *, desk: Desk) -> None:
    """Look at a promise at its end; where it broke, the earliest time at all is taken."""
    await use_cases.promise_is_due(tx, UUID(timer.ref), desk=desk, act=act)


async def on_offer_due(tx: Transaction, timer: Timer, act: Act, *, desk: Desk) -> None:
    """Offer the freed time of a site to those who wait."""
    await use_cases.offer_time(tx, timer.ref, act=act)


async def on_try_due(tx: Transaction, timer: Timer, act: Act, *, desk: Desk) -> None:
    """Try to book a patient who waits."""
    await use_cases.try_waiting(tx, UUID(timer.ref), desk=desk, act=act)
