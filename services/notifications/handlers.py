"""What happens when events are heard: some are first kept, because later events need it, and all are told.

Events of a batch are taken together: what is known of all their referrals is read once, and what they keep,
tell and send on its way is written once.
"""

from services.notifications import fhir, queries, use_cases
from services.notifications.queries.referrals import ReferralContext
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


async def on_events(ctx: Context, tx: Transaction, batch: EventBatch, *, has_server: bool = True) -> None:
    """Learn and tell of each event as the table says; `has_server` says whether e-mail goes anywhere."""
    news = [fhir.news(item.event) for item in batch]
    known = await use_cases.notify.load(tx, news)
    written = use_cases.notify.Written()
    for item, about in zip(batch, news, strict=True):
        with item.span():
            try:
                _learn(item.ctx, item.event, known=known)
                use_cases.notify.decide(item.ctx, about, known=known, has_server=has_server, written=written)
            except NotYet as error:
                batch.defer(error)
    if not batch.early:
        await use_cases.notify.record(ctx, tx, known=known, written=written)


async def on_patient_changed(ctx: Context, tx: Transaction, event: PatientChanged) -> None:
    """Remember how to reach a patient; people hear of it by what a service does about it."""
    await queries.patients.learn(tx, fhir.known_patient(event))


def _learn(ctx: Context, event: DomainEvent, *, known: ReferralContext) -> None:
    match event:
        case ReferralReceived():
            use_cases.learn.referral(known, fhir.received_referral(event))
        case ReferralEvent():
            use_cases.learn.site(known, fhir.known_referral(event))
        case AuthorizationRequested():
            use_cases.learn.authorization(known, fhir.known_authorization(event))
        case AuthorizationConsentGiven() | AuthorizationConsentWithdrawn():
            stands = isinstance(event, AuthorizationConsentGiven)
            use_cases.learn.consent(known, event.claim_id, stands=stands)
        case TeamEvent() if event.referral_id is not None and not event.has_ended:
            # The members of a team that ended hear how it ended.
            use_cases.learn.team(known, event.referral_id, members=event.members(at=ctx.at))
