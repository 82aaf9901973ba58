"""Note the time that a visit gives back, so that it is offered; end the offer of what changed since.

Invariants:
- Locks: freed times, in the order of their ids, then the site's count, then offers.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.needs import Need
from services.scheduling.states import GroupStatus, OfferStatus, RoundStatus
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.events.outbox.publishing import Publication, publish_all
from shared.fhir import store
from shared.reasons import Reason
from shared.timers import Timer


async def note(ctx: Context, tx: Transaction, rows: Iterable[Appointment]) -> None:
    """Keep the times that these visits have and give back; nothing where the clinic offers none."""
    if ctx.clinic.scheduling.offers is None:
        return
    rounds = [
        rules.offers.round_of(row, now=ctx.at) for row in rows if rules.offers.is_offered(row, now=ctx.at)
    ]
    if not rounds:
        return
    await tx.insert(*rounds)
    due = ctx.at + rules.offers.AFTER_WHO_WAITS
    await timers.schedule_all(
        tx, [Timer(kind=TimerKind.ROUND, ref=str(one.id), due_at=due) for one in rounds]
    )


async def is_gone(tx: Transaction, freed: OfferRound, *, need: Need) -> bool:
    """Tell whether nobody can have a time: who gives it is not there, or the group does not take place."""
    if rules.offers.is_gone(freed, need=need):
        return True
    if freed.group_session is None:
        return False
    sessions = await queries.group_sessions.locked(tx, [freed.group_session])
    return not any(session.status == GroupStatus.OPEN for session in sessions)


async def withdraw(ctx: Context, tx: Transaction, row: Appointment) -> None:
    """End the open offer of another time for a visit that a person has changed.

    Where nobody else is asked about that time, the next are.
    """
    if ctx.clinic.scheduling.offers is None:
        return
    offer = await queries.offers.open_of_visit(tx, row.id)
    if offer is not None:
        await end(ctx, tx, [offer], because=Reason.of("visit-changed-since"))
        if not await queries.offers.is_asked(tx, offer.round_id):
            await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(offer.round_id), due=ctx.at)


async def end_group(ctx: Context, tx: Transaction, session_id: UUID) -> None:
    """End the offers of seats in a group session that is called off; its seats are nobody's any more.

    Whoever calls this has locked the freed seats of the session before the session.
    """
    for freed in await queries.offers.rounds_of_group(tx, session_id):
        await end(ctx, tx, await queries.offers.open_of(tx, freed.id), because=Reason.of("offer-gone"))
        await _leave(tx, freed)


async def withdraw_gone(ctx: Context, tx: Transaction, site_id: str) -> None:
    """End the offers of a site's times that cannot be had any more, now that its roster has changed.

    Who was asked is told at once, keeps the visit that they have, and can be asked about another time.
    """
    if ctx.clinic.scheduling.offers is None:
        return
    asked = await queries.offers.rounds_asked(tx, site_id)
    gone = [freed for freed in asked if _cannot_be(ctx, freed)]
    if not gone:
        return
    await queries.occupancy.count_freed(tx, [site_id])
    offers = [offer for freed in gone for offer in await queries.offers.open_of(tx, freed.id)]
    await end(ctx, tx, offers, because=Reason.of("offer-gone"))
    await queries.occupancy.release(tx, [freed.id for freed in gone])
    for freed in gone:
        await _leave(tx, freed)


async def withdraw_gone_everywhere(ctx: Context, tx: Transaction) -> None:
    """End such offers of every site when the worker starts: clinic.yaml may have other hours."""
    for site in ctx.clinic.sites:
        await withdraw_gone(ctx, tx, site.id)


def _cannot_be(ctx: Context, freed: OfferRound) -> bool:
    need = rules.offers.need_of(ctx.clinic, freed, at=ctx.at)
    return need is None or rules.offers.is_gone(freed, need=need)


async def _leave(tx: Transaction, freed: OfferRound) -> None:
    """Let a freed time that held something hold nothing, and ask nobody more."""
    await tx.update(freed, status=RoundStatus.LEFT.value, seat=None, held_until=None)
    await timers.cancel(tx, kind=TimerKind.ROUND, ref=str(freed.id))


async def end(ctx: Context, tx: Transaction, offers: Sequence[TimeOffer], *, because: Reason) -> None:
    """End open offers that nobody has answered, and publish that."""
    for offer in offers:
        offer.status, offer.ended_because = OfferStatus.CANCELLED, [because]
        await save(ctx, tx, offer)
    await publish(ctx, tx, events.OfferEnded, offers)


async def save(ctx: Context, tx: Transaction, offer: TimeOffer) -> None:
    """Write the next version of an offer."""
    body = fhir.offers.render(ctx, offer)
    await store.update(tx, offer, body, at=ctx.at, status=offer.status, ended_because=offer.ended_because)


async def publish(
    ctx: Context, tx: Transaction, event: type[DomainEvent], offers: Sequence[TimeOffer]
) -> None:
    """Publish what happened to offers."""
    made = [
        event(patient_id=offer.patient_id, referral_id=str(offer.referral_id), resources=(offer.body,))
        for offer in offers
    ]
    await publish_all(
        tx, [Publication(ctx=ctx, of=of, event=one) for of, one in zip(offers, made, strict=True)]
    )
