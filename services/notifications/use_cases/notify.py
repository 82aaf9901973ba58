"""Tell of an event: an entry in the live feed, and a message to everybody whom the table names.

Where there is no mail server, or no gateway, a message by it ends as it is written: nobody will ever send it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from services.notifications import queries
from services.notifications.fhir.events import News
from services.notifications.models.rows import Notification
from services.notifications.queries.referrals import ReferralContext, ReferralParties
from services.notifications.rules import delivery, patient_news
from services.notifications.rules.audiences import Message, Parties, messages
from services.notifications.rules.feed import FeedEntry
from services.notifications.rules.routing import Route, route_of
from services.notifications.rules.webhooks import deliveries
from services.notifications.states import Audience, Channel
from services.notifications.use_cases import end, learn, reminders
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store
from shared.telemetry.tracing import current_traceparent
from shared.timers import Timer


@dataclass(slots=True)
class Written:
    """What a batch of events tells: entries of the feed, messages, and of those the ones that have ended.

    `mornings` are those on which somebody is to be reminded.
    """

    entries: list[FeedEntry] = field(default_factory=list)
    messages: list[Notification] = field(default_factory=list)
    ended: list[Notification] = field(default_factory=list)
    mornings: dict[str, Timer] = field(default_factory=dict)


async def load(tx: Transaction, heard: Sequence[News]) -> ReferralContext:
    """Read what is known of everything that these events are about, in few statements."""
    reassigned = {one.id for news in heard if news.type == patient_news.REASSIGNED for one in news.visits}
    return await queries.referrals.load(
        tx,
        referrals={news.referral for news in heard if news.referral is not None},
        claims={news.claim for news in heard if news.claim is not None},
        events=[news.event_id for news in heard],
        reassigned=reassigned,
    )


def decide(
    ctx: Context, news: News, *, known: ReferralContext, without: Collection[Channel], written: Written
) -> None:
    """Add the entry and the messages of an event; raises NotYet where its referral is unknown.

    A message by a channel `without` a server ends as it is written.
    """
    route = route_of(news.type, news.visit_kind)
    referral = None if news.referral is None else learn.expect_referral(known, news.referral)
    parties = _parties(ctx, news, referral, known=known)
    if referral is not None:
        said = learn.visits(known, news, referral)
        reachable = said if referral.patient in known.patients else []
        written.mornings |= {timer.ref: timer for timer in reminders.timers_for(ctx, reachable)}
    written.entries.append(_entry(news, route, parties, referral))
    for message in _wanted(ctx, news, route, parties, known=known):
        row = _prepared(ctx, news, message, parties)
        if (earlier := _same_for_patient(written.messages, row)) is not None:
            # Of many visits at once a patient has one letter, behind which all that is booked stands; of one
            # that changed twice the letter is about its last change.
            same = row.visit_id == earlier.visit_id
            if message.channel is Channel.TELEPHONE and not same:
                continue
            earlier.visit_id = row.visit_id if same else None
            earlier.visit_starts_at = row.visit_starts_at if same else None
            continue
        if message.channel in without:
            end.apply(ctx, row, reason=delivery.NO_WAY[message.channel])
            written.ended.append(row)
        written.messages.append(row)


async def record(ctx: Context, tx: Transaction, *, known: ReferralContext, written: Written) -> None:
    """Write what a batch has learned and tells."""
    for row in written.messages:
        store.fill(row, end.render(ctx, row, ()), at=row.created_at)
    await queries.referrals.save(tx, known)
    await end.append_entries(tx, written.entries)
    await end.announce(ctx, tx, written.ended, new=True)
    await tx.insert(*written.messages)
    await timers.schedule_all(tx, list(written.mornings.values()))


def _same_for_patient(messages: Sequence[Notification], row: Notification) -> Notification | None:
    """Find what this batch tells the same patient of the same referral already, in the same words."""
    if row.audience != Audience.PATIENT or row.offer_id is not None:
        return None
    same = (row.recipient, row.channel, row.event_type, row.referral_id)
    found = (one for one in messages if (one.recipient, one.channel, one.event_type, one.referral_id) == same)
    return next(found, None)


def _wanted(
    ctx: Context, news: News, route: Route, parties: Parties, *, known: ReferralContext
) -> Iterator[Message]:
    for message in (
        *messages(route, parties, clinic=ctx.clinic, first=news.first),
        *deliveries(news.type, parties, clinic=ctx.clinic),
        *_to_patient(ctx, news, known=known),
    ):
        if (news.event_id, message.recipient, message.channel) not in known.written:
            yield message


def _to_patient(ctx: Context, news: News, *, known: ReferralContext) -> list[Message]:
    referral = known.referrals.get(news.referral or "")
    patient = None if referral is None else known.patients.get(referral.patient)
    if referral is None:
        return []
    times = [one.starts_at for one in (*news.visits, *((news.offer,) if news.offer else ()))]
    if all(starts_at <= ctx.at for starts_at in times):
        return []
    if news.type == patient_news.REASSIGNED and not any(one.id in known.handed_over for one in news.visits):
        return []
    today = ctx.at.astimezone(ctx.clinic.site(referral.site).zone).date()
    if written := patient_news.told(news.type, patient, today=today):
        return written
    is_called = patient_news.is_called(
        news.type,
        is_first=news.first,
        is_by_a_person=news.is_by_a_person,
        is_by_the_patient=news.is_by_the_patient,
    )
    return [patient_news.call_to(referral.patient)] if is_called else []


def _parties(
    ctx: Context, news: News, referral: ReferralParties | None, *, known: ReferralContext
) -> Parties:
    if news.referral is None or referral is None:
        site = news.site or _site_of(ctx, news.participants)
        return Parties(site=site, participants=news.participants)
    asked = None if news.claim is None else learn.expect_authorization(known, news.claim)
    return Parties(
        site=referral.site,
        requester=referral.requester,
        team=known.teams.get(news.referral, frozenset()),
        payer=None if asked is None else asked.payer,
        consented=asked is not None and asked.consented,
        owner=news.owner,
        participants=news.participants,
    )


def _site_of(ctx: Context, participants: frozenset[str]) -> str | None:
    sites = (person.site for person in ctx.clinic.people if person.id in participants)
    return next(sites, None)


def _entry(news: News, route: Route, parties: Parties, referral: ReferralParties | None) -> FeedEntry:
    owner = (parties.owner or "").removeprefix("Practitioner/")
    named = {Audience.PARTICIPANTS: parties.participants, Audience.OWNER: frozenset({owner})}
    people = frozenset[str]().union(*(named.get(audience, frozenset()) for audience in route.feed))
    return FeedEntry(
        id=news.event_id,
        type=news.type,
        time=news.time.isoformat(),
        text=route.text,
        focus=news.focus,
        patient=referral.patient if referral else None,
        referral=news.referral,
        audiences=route.feed,
        site=parties.site,
        requester=parties.requester,
        payer=parties.payer,
        claim=news.claim,
        people=tuple(sorted(people - {""})),
        meeting=news.meeting,
    )


def _prepared(ctx: Context, news: News, message: Message, parties: Parties) -> Notification:
    visit = news.visits[0] if message.audience is Audience.PATIENT and len(news.visits) == 1 else None
    offer = news.offer if message.audience is Audience.PATIENT else None
    return Notification(
        offer_id=None if offer is None else offer.id,
        visit_id=None if visit is None else visit.id,
        visit_starts_at=None if visit is None else visit.starts_at,
        event_id=news.event_id,
        event_type=news.type,
        event_key=news.key,
        audience=message.audience,
        recipient=message.recipient,
        recipient_id=message.recipient.partition("/")[2],
        channel=message.channel,
        focus=news.focus,
        referral_id=news.referral,
        claim_id=news.claim,
        patient_id=news.key if news.referral else None,
        site=parties.site,
        created_at=ctx.at,
        next_attempt_at=ctx.at,
        traceparent=current_traceparent(),
    )
