"""What happens when events are heard: some are first kept, because later events need it, and all are told.

Events of a batch are taken together: what is known of all their referrals is read once, and what they keep,
tell and send on its way is written once.
"""

from services.notifications import fhir, use_cases
from services.notifications.fhir import News
from services.notifications.queries import Known
from shared.context import Context
from shared.db import Transaction
from shared.events.envelope import Event
from shared.events.inbox.handling import EventBatch, NotYet


async def on_events(ctx: Context, tx: Transaction, run: EventBatch, *, has_server: bool = True) -> None:
    """Keep and tell of each event as the table says; `has_server` says whether e-mail goes anywhere."""
    heard = [fhir.news(one.event) for one in run]
    known = await use_cases.recall(tx, heard)
    for one, news in zip(run, heard, strict=True):
        with one.span():
            try:
                await _keep(one.ctx, tx, one.event, news, known=known)
                await use_cases.tell(one.ctx, tx, news, known=known, has_server=has_server)
            except NotYet as error:
                run.defer(error)


async def _keep(ctx: Context, tx: Transaction, event: Event, news: News, *, known: Known) -> None:
    match event.type:
        case "referral.received":
            use_cases.keep_referral(tx, fhir.known_referral(event), known=known)
        case _ if event.type.startswith("referral."):
            await use_cases.keep_site(tx, fhir.known_referral(event), known=known)
        case "authorization.requested":
            use_cases.keep_authorization(tx, fhir.known_authorization(event), known=known)
        case "authorization.consent-given" | "authorization.consent-withdrawn":
            stands = event.type == "authorization.consent-given"
            await use_cases.keep_consent(tx, event.focus["id"], stands=stands, known=known)
        case "careteam.formed" | "careteam.changed":
            # The members of a team that ended hear how it ended.
            if news.referral is not None and not fhir.team_ended(event):
                members = fhir.members(event, at=ctx.at)
                await use_cases.keep_team(tx, news.referral, members=members, known=known)
