"""One function for each kind of event: most only tell, a few first keep what later events need."""

from collections.abc import Awaitable, Callable

from services.notifications import fhir, use_cases
from services.notifications.settings import Settings
from shared.act import Act
from shared.db import Transaction
from shared.events.envelope import Event

ClinicHandler = Callable[..., Awaitable[None]]


async def on_news(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Tell of an event as the table says."""
    await use_cases.tell(tx, fhir.news(event), settings=settings, act=act)


async def on_referral_received(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Keep whose referral it is, and tell."""
    await use_cases.keep_referral(tx, fhir.known_referral(event))
    await on_news(tx, event, act, settings=settings)


async def on_authorization_requested(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Keep which insurer is asked, and tell."""
    await use_cases.keep_authorization(tx, fhir.known_authorization(event))
    await on_news(tx, event, act, settings=settings)


async def on_consent(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Keep whether the insurer may hear of its Claim, and tell."""
    stands = event.type == "authorization.consent-given"
    await use_cases.keep_consent(tx, event.focus["id"], stands=stands)
    await on_news(tx, event, act, settings=settings)


async def on_team(tx: Transaction, event: Event, act: Act, *, settings: Settings) -> None:
    """Keep who is on the team now, and tell; the members of a team that ended hear how it ended."""
    news = fhir.news(event)
    if news.referral is not None and not fhir.team_ended(event):
        await use_cases.keep_team(tx, news.referral, members=fhir.members(event, at=act.at))
    await use_cases.tell(tx, news, settings=settings, act=act)


KEEPING: dict[str, ClinicHandler] = {
    "referral.received": on_referral_received,
    "authorization.requested": on_authorization_requested,
    "authorization.consent-given": on_consent,
    "authorization.consent-withdrawn": on_consent,
    "careteam.formed": on_team,
    "careteam.changed": on_team,
}
