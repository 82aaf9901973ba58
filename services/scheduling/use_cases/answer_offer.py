"""Take a patient's yes or no to a freed time: who says yes moves there in the transaction of the yes.

Invariants:
- The first yes wins; the others keep their day, and so does who said no. An answer that comes again changes
  nothing.
- Locks: referral, visit, freed time, its offer, the site's count, the other offers. Nobody waits for an offer
  with another of its freed time in hand: whoever wants several holds the freed time.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.scheduling import queries, rules, texts
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment, Referral
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.needs import Need, patient_key
from services.scheduling.states import OfferStatus, RoundStatus
from services.scheduling.use_cases import freed_time, recall, reconcile_series, record, take_seat
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Conflict
from shared.events.catalog import scheduling as events
from shared.events.catalog.notifications import OfferAnswered
from shared.reasons import Reason


class OfferOver(Conflict):
    """The offer takes no answer any more; the text says why."""


async def by_link(ctx: Context, tx: Transaction, event: OfferAnswered) -> None:
    """Do what a patient answered by the link of a message; what is over stays so, as its end was told."""
    found = await queries.offers.by_ids(tx, [UUID(event.offer)])
    if not found:
        return
    await queries.savepoints.begin(tx)
    try:
        await (accept if event.takes else decline)(ctx, tx, found[0], expect=_anything)
    except OfferOver:
        await queries.savepoints.end(tx, keep=False)
    else:
        await queries.savepoints.end(tx, keep=True)


async def accept(
    ctx: Context, tx: Transaction, seen: TimeOffer, *, expect: Callable[[Resource], None]
) -> TimeOffer:
    """Move the patient's visit to the time that was offered, and end the other offers of it.

    `seen` is the offer as it was read without a lock. Raises OfferOver, and what `expect` raises.
    """
    referral = await queries.referrals.locked(tx, seen.referral_id)
    row = await queries.appointments.locked(tx, seen.appointment_id)
    freed, offer = await _locked(tx, seen)
    if referral is None or row is None:
        raise LookupError(f"offer {seen.id} is about no visit")
    if offer.status == OfferStatus.COMPLETED:
        return offer
    expect(offer)
    need = await _need(ctx, tx, row, offer, freed)
    before = row.model_copy()
    await _take(ctx, tx, row, offer, freed, need=need)
    await _say_yes(ctx, tx, offer, freed)
    await timers.schedule(tx, kind=TimerKind.OFFER, ref=row.site, due=ctx.at)
    await _save_moved(ctx, tx, row, referral=referral)
    await freed_time.note(ctx, tx, [before])
    await recall.booked_again(ctx, tx, row)
    return offer


async def decline(
    ctx: Context, tx: Transaction, seen: TimeOffer, *, expect: Callable[[Resource], None]
) -> TimeOffer:
    """Note that the patient keeps the time that they have; the next are asked once all have answered.

    `seen` is the offer as it was read without a lock. Raises OfferOver, and what `expect` raises.
    """
    freed, offer = await _locked(tx, seen)
    if offer.status == OfferStatus.REJECTED:
        return offer
    expect(offer)
    if (why := rules.offers.why_answered(offer, now=ctx.at)) is not None:
        raise _over(ctx, offer, why)
    offer.status, offer.ended_because = OfferStatus.REJECTED, [Reason.of("offer-declined")]
    await freed_time.save(ctx, tx, offer)
    await freed_time.publish(ctx, tx, events.OfferDeclined, [offer])
    if not await queries.offers.open_of(tx, freed.id):
        await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(freed.id), due=ctx.at)
    return offer


def _anything(_: Resource) -> None:
    """Expect no version: the patient answers what was offered."""


async def _locked(tx: Transaction, seen: TimeOffer) -> tuple[OfferRound, TimeOffer]:
    freed = await queries.offers.round_locked(tx, seen.round_id)
    offer = await queries.offers.locked(tx, seen.id)
    if freed is None or offer is None:
        raise LookupError(f"offer {seen.id} has no freed time")
    return freed, offer


async def _need(ctx: Context, tx: Transaction, row: Appointment, offer: TimeOffer, freed: OfferRound) -> Need:
    """Return what the visit needs, where it can still have the time. Raises OfferOver."""
    if (why := rules.offers.why_not_taken(offer, freed, row, now=ctx.at)) is not None:
        raise _over(ctx, offer, why)
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    if need is None or await freed_time.is_gone(tx, freed, need=need):
        raise _over(ctx, offer, Reason.of("offer-gone"))
    return need


async def _take(
    ctx: Context, tx: Transaction, row: Appointment, offer: TimeOffer, freed: OfferRound, *, need: Need
) -> None:
    """Give the held time to the visit instead of its own, without writing that."""
    left = rules.given_up.by_moving(row)
    await queries.occupancy.count_freed(tx, [row.site])
    if freed.group_session is None:
        await _take_time(ctx, tx, row, offer, freed, need=need)
    else:
        try:
            await take_seat.in_session(ctx, tx, row, freed.group_session, offered=freed.id)
        except CannotMove as refusal:
            raise _over(ctx, offer, refusal.problems[0].reason or Reason.of("offer-gone")) from refusal
    await queries.given_up.keep(tx, left)


async def _take_time(
    ctx: Context, tx: Transaction, row: Appointment, offer: TimeOffer, freed: OfferRound, *, need: Need
) -> None:
    place = rules.offers.place_of(freed, need=need)
    await queries.occupancy.release(tx, [freed.id])
    if (until := await _busy_until(ctx, tx, row, freed)) is not None:
        raise _over(ctx, offer, Reason.of("patient-busy", until=until))
    claim = record.claim_of(row, place)
    if not await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True):
        raise _over(ctx, offer, Reason.of("offer-taken"))
    await queries.given_up.take_back(tx, row.patient_id, resources=claim.resources, span=place.span)
    record.put_into(row, place)


async def _busy_until(ctx: Context, tx: Transaction, row: Appointment, freed: OfferRound) -> datetime | None:
    """Return until when the patient has something else in the freed time; None where nothing."""
    patient, window = patient_key(row.patient_id), Span(freed.starts_at, freed.ends_at)
    taken = await queries.occupancy.taken(tx, [patient], window=window, at=ctx.at, but_not=[row.id, freed.id])
    return max((span.end for span in taken.get(patient, ())), default=None)


async def _say_yes(ctx: Context, tx: Transaction, offer: TimeOffer, freed: OfferRound) -> None:
    others = [one for one in await queries.offers.open_of(tx, freed.id) if one.id != offer.id]
    offer.status, offer.ended_because = OfferStatus.COMPLETED, [Reason.of("offer-accepted")]
    await freed_time.save(ctx, tx, offer)
    await freed_time.publish(ctx, tx, events.OfferAccepted, [offer])
    await freed_time.end(ctx, tx, others, because=Reason.of("offer-taken"))
    await tx.update(freed, status=RoundStatus.TAKEN.value)
    await timers.cancel(tx, kind=TimerKind.ROUND, ref=str(freed.id))


async def _save_moved(ctx: Context, tx: Transaction, row: Appointment, *, referral: Referral) -> None:
    """Write and publish the visit; the guarantee and the series follow a first one."""
    if row.group_session is not None:
        await record.save_visit(ctx, tx, row, events.AppointmentMoved)
        return
    evaluated = await record.save_first(ctx, tx, row, events.AppointmentMoved, referral=referral)
    await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)


def _over(ctx: Context, offer: TimeOffer, why: Reason) -> OfferOver:
    zone, words = ctx.clinic.site(offer.site).zone, texts.words_of(ctx.clinic)
    return OfferOver.because(why, texts.REASONS, expression="Task.status", zone=zone, words=words)
