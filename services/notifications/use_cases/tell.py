"""Tell of an event: an entry in the live feed, and a message to everybody whom the table names."""

import msgspec

from services.notifications import queries
from services.notifications.fhir import News
from services.notifications.models import KnownAuthorization, KnownReferral, Notification
from services.notifications.rules import TOLD, Audience, FeedEntry, Message, Standing, Told, messages
from services.notifications.settings import Settings
from services.notifications.use_cases.put_message import put_message
from shared.act import Act
from shared.clinic import Clinic
from shared.db import Transaction
from shared.events import outbox
from shared.events.handling import NotYet
from shared.events.topics import FEED
from shared.telemetry.tracing import current_traceparent


async def tell(tx: Transaction, news: News, *, settings: Settings, act: Act) -> None:
    """Write the feed entry and the messages of an event; raises NotYet where its referral is unknown."""
    told = TOLD[news.type]
    referral = None if news.referral is None else await expect_referral(tx, news.referral)
    standing = await _standing(tx, news, referral, settings=settings)
    done = await queries.told(tx, news.event_id)

    wanted = [
        message
        for message in messages(told, standing, clinic=settings.clinic, first=news.first)
        if (message.recipient, message.channel) not in done
    ]

    put_entry(tx, _entry(news, told, standing, referral))
    for message in wanted:
        await _prepare(tx, news, message, standing, settings=settings, act=act)


async def expect_referral(tx: Transaction, referral_id: str) -> KnownReferral:
    """Find a referral; raises NotYet while `referral.received` has not come."""
    referral = await queries.referral(tx, referral_id)
    if referral is None:
        raise NotYet(f"referral {referral_id} was not received yet")
    return referral


async def expect_authorization(tx: Transaction, claim_id: str) -> KnownAuthorization:
    """Find an authorization; raises NotYet while `authorization.requested` has not come."""
    authorization = await queries.authorization(tx, claim_id)
    if authorization is None:
        raise NotYet(f"claim {claim_id} was not asked for yet")
    return authorization


def put_entry(tx: Transaction, entry: FeedEntry) -> None:
    """Put an entry on its way to the feed's log."""
    outbox.put(
        tx,
        topic=FEED,
        key=entry.patient or entry.id,
        event_id=f"feed/{entry.id}",
        headers={"ce_id": entry.id, "ce_type": entry.type},
        value=msgspec.json.encode(entry),
    )


async def _standing(
    tx: Transaction, news: News, referral: KnownReferral | None, *, settings: Settings
) -> Standing:
    if referral is None:
        return Standing(
            site=_site_of(news.participants, clinic=settings.clinic), participants=news.participants
        )
    teams = await queries.teams(tx, [referral.id])
    payer, consented = None, False
    if news.claim is not None:
        payer, consented = await _insurer(tx, news.claim)
    return Standing(
        site=referral.site,
        requester=referral.requester,
        team=teams.get(referral.id, frozenset()),
        payer=payer,
        consented=consented,
        owner=news.owner,
        participants=news.participants,
    )


async def _insurer(tx: Transaction, claim_id: str) -> tuple[str, bool]:
    authorization = await expect_authorization(tx, claim_id)
    return authorization.payer, authorization.consented


def _site_of(participants: frozenset[str], *, clinic: Clinic) -> str | None:
    sites = (person.site for person in clinic.people if person.id in participants)
    return next(sites, None)


def _entry(news: News, told: Told, standing: Standing, referral: KnownReferral | None) -> FeedEntry:
    owner = (standing.owner or "").removeprefix("Practitioner/")
    named = {Audience.PARTICIPANTS: standing.participants, Audience.OWNER: frozenset({owner})}
    people = frozenset[str]().union(*(named.get(audience, frozenset()) for audience in told.feed))
    return FeedEntry(
        id=news.event_id,
        type=news.type,
        time=news.time.isoformat(),
        text=told.text,
        focus=news.focus,
        patient=referral.patient_id if referral else None,
        referral=news.referral,
        audiences=told.feed,
        site=standing.site,
        requester=standing.requester,
        payer=standing.payer,
        claim=news.claim,
        people=tuple(sorted(people - {""})),
    )


async def _prepare(
    tx: Transaction, news: News, message: Message, standing: Standing, *, settings: Settings, act: Act
) -> None:
    row = Notification(
        event_id=news.event_id,
        event_type=news.type,
        event_key=news.key,
        audience=message.audience,
        recipient=message.recipient,
        recipient_id=message.recipient.partition("/")[2],
        channel=message.channel,
        referral_id=news.referral,
        claim_id=news.claim,
        patient_id=news.key if news.referral else None,
        site=standing.site,
        created_at=act.at,
        next_attempt_at=act.at,
        traceparent=current_traceparent(),
    )
    await put_message(tx, row, (), settings=settings, at=act.at)
