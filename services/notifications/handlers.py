"""What happens when events are heard: some are first kept, because later events need it, and all are told.

Events of a batch are taken together: what is known of all their referrals is read once, and what they keep,
tell and send on its way is written once.
"""

from collections.abc import Collection

from services.notifications import fhir, queries, use_cases
from services.notifications.queries.referrals import ReferralContext
from services.notifications.states import Channel
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog.careteam import TeamEvent
from shared.events.catalog.referral import (
    AuthorizationConsentGiven,
    AuthorizationConsentWithdrawn,
    AuthorizationRequested,
    PatientChanged,
    ReferralEvent,
    ReferralReceived,
)
from shared.events.inbox.handling import EventBatch, NotYet
from shared.timers import Timer


async def on_events(
    ctx: Context, tx: Transaction, batch: EventBatch, *, without: Collection[Channel] = ()
) -> None:
    """Learn and tell of each event as the table says; by the channels of `without` nothing goes anywhere."""
    news = [fhir.events.news(item.event) for item in batch]
    known = await use_cases.notify.load(tx, news)
    written = use_cases.notify.Written()
    for item, about in zip(batch, news, strict=True):
        with item.span():
            try:
                _learn(item.ctx, item.event, known=known)
                use_cases.notify.decide(item.ctx, about, known=known, without=without, written=written)
            except NotYet as error:
                batch.defer(error)
    if not batch.early:
        await use_cases.notify.record(ctx, tx, known=known, written=written)


async def on_patient_changed(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember how to reach a patient; people hear of it by what a service does about it.

    Who permits a channel now is reminded of what was booked before.
    """
    patient = fhir.events.known_patient(event)
    await queries.patients.learn(tx, patient)
    await use_cases.reminders.of_patient(ctx, tx, patient)


async def on_reminders_due(
    ctx: Context, tx: Transaction, timer: Timer, *, without: Collection[Channel] = ()
) -> None:
    """Remind the patients of a site of what comes a day and a week after this morning."""
    await use_cases.reminders.run(ctx, tx, timer, without=without)


def _learn(ctx: Context, event: DomainEvent, *, known: ReferralContext) -> None:
    match event:
        case ReferralReceived():
            use_cases.learn.referral(known, fhir.events.received_referral(event))
        case ReferralEvent():
            use_cases.learn.site(known, fhir.events.known_referral(event))
        case AuthorizationRequested():
            use_cases.learn.authorization(known, fhir.events.known_authorization(event))
        case AuthorizationConsentGiven() | AuthorizationConsentWithdrawn():
            stands = isinstance(event, AuthorizationConsentGiven)
            use_cases.learn.consent(known, event.claim_id, stands=stands)
        case TeamEvent() if event.referral_id is not None and not event.has_ended:
            # The members of a team that ended hear how it ended.
            use_cases.learn.team(known, event.referral_id, members=event.members(at=ctx.at))
