"""What happens when events are heard: some are first kept, because later events need it, and all are told.

Events of a batch are taken together: what is known of all their referrals is read once, and what they keep,
tell and send on its way is written once.
"""

from services.notifications import fhir, use_cases
from services.notifications.queries import Known
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog.careteam import TeamEvent
from shared.events.catalog.referral import (
    AuthorizationConsentGiven,
    AuthorizationConsentWithdrawn,
    AuthorizationRequested,
    ReferralEvent,
    ReferralReceived,
)
from shared.events.inbox.handling import EventBatch, NotYet


async def on_events(ctx: Context, tx: Transaction, run: EventBatch, *, has_server: bool = True) -> None:
    """Keep and tell of each event as the table says; `has_server` says whether e-mail goes anywhere."""
    heard = [fhir.news(one.event) for one in run]
    known = await use_cases.recall(tx, heard)
    for one, news in zip(run, heard, strict=True):
        with one.span():
            try:
                await _keep(one.ctx, tx, one.event, known=known)
                await use_cases.tell(one.ctx, tx, news, known=known, has_server=has_server)
            except NotYet as error:
                run.defer(error)


async def _keep(ctx: Context, tx: Transaction, event: DomainEvent, *, known: Known) -> None:
    match event:
        case ReferralReceived():
            use_cases.keep_referral(tx, fhir.known_referral(event), known=known)
        case ReferralEvent():
            await use_cases.keep_site(tx, fhir.known_referral(event), known=known)
        case AuthorizationRequested():
            use_cases.keep_authorization(tx, fhir.known_authorization(event), known=known)
        case AuthorizationConsentGiven() | AuthorizationConsentWithdrawn():
            stands = isinstance(event, AuthorizationConsentGiven)
            await use_cases.keep_consent(tx, event.claim_id, stands=stands, known=known)
        case TeamEvent() if event.referral_id is not None and not event.has_ended:
            # The members of a team that ended hear how it ended.
            await use_cases.keep_team(tx, event.referral_id, members=event.members(at=ctx.at), known=known)
