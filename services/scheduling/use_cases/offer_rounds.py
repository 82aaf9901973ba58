"""Offer a freed time to patients who have a later one, a few at once; the first yes wins.

Invariants:
- Whoever has no day takes the time first; while it is offered it is held for those who are asked.
- A time is offered to one batch at a time, and an offer ends before its visit.
- Who says yes moves there in the transaction of the yes; the others keep their day, and so does who said no.
- Locks: referral, visit, freed time, the site's count, offers; whoever asks the next batch has no referral.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.scheduling import fhir, queries, rules, texts
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.queries.occupancy import OccupancyClaim
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.needs import Need, patient_key
from services.scheduling.states import GroupStatus, OfferStatus, RoundStatus
from services.scheduling.use_cases import (
    freed_time,
    plan_first_visits,
    recall,
    reconcile_series,
    record,
    take_seat,
    time_of_patients,
)
from shared import timers
from shared.clinic import Offers, SchedulingPolicy
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Conflict, NotFound
from shared.events.catalog import scheduling as events
from shared.events.catalog.notifications import OfferAnswered
from shared.fhir import store
from shared.fhir.search_values import as_uuid
from shared.reasons import Reason

# So many visits are looked at for who can come; nobody is asked whose visit is not among the first of these.
_LOOKED_AT = 40
_MOST_LOOKS = 25
_AFTER_THE_PLAN = timedelta(minutes=10)


class OfferOver(Conflict):
    """The offer takes no answer any more; the text says why."""


async def run(ctx: Context, tx: Transaction, round_id: UUID) -> None:
    """Ask the next patients about a freed time, or end its round where that cannot be any more."""
    freed = await queries.offers.round_locked(tx, round_id)
    terms = ctx.clinic.scheduling.offers
    if freed is None or freed.status != RoundStatus.OPEN:
        return
    if freed.batch:
        # Before the offers, as whoever changes the visit of one who is asked does it.
        await queries.occupancy.count_freed(tx, [freed.site])
        unanswered = await queries.offers.open_of(tx, freed.id)
        await freed_time.end(ctx, tx, unanswered, because=Reason.of("offer-unanswered"))
    need = _need(ctx, freed)
    if terms is None or need is None or await _is_gone(tx, freed, need=need):
        await _close(ctx, tx, freed, RoundStatus.LEFT)
    elif not await _is_free(ctx, tx, freed, need=need):
        await _close(ctx, tx, freed, RoundStatus.FILLED)
    elif not await _waits_for_plan(ctx, tx, freed):
        await _ask(ctx, tx, freed, terms, need=need)


async def accept(
    ctx: Context, tx: Transaction, task_id: str, *, expect: Callable[[Resource], None]
) -> TimeOffer:
    """Move the patient's visit to the time that was offered, and end the other offers of it.

    A yes that comes again changes nothing. Raises NotFound, OfferOver, and what `expect` raises.
    """
    return await _accept(ctx, tx, await _seen(ctx, tx, task_id), expect=expect)


async def answered_by_link(ctx: Context, tx: Transaction, event: OfferAnswered) -> None:
    """Do what a patient answered by the link of a message; what is over stays so, as its end was told."""
    found = await queries.offers.by_ids(tx, [UUID(event.offer)])
    if not found:
        return
    await queries.savepoints.begin(tx)
    try:
        await (_accept if event.takes else _decline)(ctx, tx, found[0], expect=_anything)
    except OfferOver:
        await queries.savepoints.end(tx, keep=False)
    else:
        await queries.savepoints.end(tx, keep=True)


def _anything(_: Resource) -> None:
    """Expect no version: the patient answers what was offered."""


async def _accept(
    ctx: Context, tx: Transaction, seen: TimeOffer, *, expect: Callable[[Resource], None]
) -> TimeOffer:
    referral = await queries.referrals.locked(tx, seen.referral_id)
    row = await queries.appointments.locked(tx, seen.appointment_id)
    freed, offer = await _locked(tx, seen)
    if referral is None or row is None:
        raise LookupError(f"offer {seen.id} is about no visit")
    if offer.status == OfferStatus.COMPLETED:
        return offer
    expect(offer)
    need = rules.needs.need_of_row(ctx.clinic, row, at=ctx.at)
    why = rules.offers.why_not_taken(offer, freed, row, now=ctx.at)
    if why is None and (need is None or await _is_gone(tx, freed, need=need)):
        why = Reason.of("offer-gone")
    if why is not None or need is None:
        raise _over(ctx, offer, why or Reason.of("offer-gone"))
    before = row.model_copy()
    await _take(ctx, tx, row, offer, freed, need=need)
    await _say_yes(ctx, tx, offer, freed)
    await timers.schedule(tx, kind=TimerKind.OFFER, ref=row.site, due=ctx.at)
    if freed.group_session is not None:
        await record.save_visit(ctx, tx, row, events.AppointmentMoved)
    else:
        evaluated = await record.save_first(ctx, tx, row, events.AppointmentMoved, referral=referral)
        await reconcile_series.run(ctx, tx, referral, firsts=evaluated.firsts)
    await freed_time.note(ctx, tx, [before])
    await recall.booked_again(ctx, tx, row)
    return offer


async def decline(
    ctx: Context, tx: Transaction, task_id: str, *, expect: Callable[[Resource], None]
) -> TimeOffer:
    """Note that the patient keeps the time that they have; the next are asked once all have answered.

    A no that comes again changes nothing. Raises NotFound, OfferOver, and what `expect` raises.
    """
    return await _decline(ctx, tx, await _seen(ctx, tx, task_id), expect=expect)


async def _decline(
    ctx: Context, tx: Transaction, seen: TimeOffer, *, expect: Callable[[Resource], None]
) -> TimeOffer:
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


async def _ask(ctx: Context, tx: Transaction, freed: OfferRound, terms: Offers, *, need: Need) -> None:
    zone = need.site.zone
    until = rules.offers.open_until(terms, now=ctx.at, starts_at=freed.starts_at, zone=zone)
    if until is None:
        later = rules.offers.next_try(terms, now=ctx.at, starts_at=freed.starts_at, zone=zone)
        if later is None:
            await _close(ctx, tx, freed, RoundStatus.LEFT)
        else:
            await queries.occupancy.release(tx, [freed.id])
            await tx.update(freed, seat=None, held_until=None)
            await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(freed.id), due=later)
        return
    rows = await _who_can(ctx, tx, freed, number=terms.at_once)
    if not rows:
        await _close(ctx, tx, freed, RoundStatus.LEFT)
    elif not await _hold(ctx, tx, freed, until=until, need=need):
        await _close(ctx, tx, freed, RoundStatus.FILLED)
    else:
        offers = [_offer(ctx, freed, row, until=until) for row in rows]
        await tx.insert(*offers)
        await freed_time.publish(ctx, tx, events.OfferMade, offers)
        await tx.update(freed, batch=freed.batch + 1, asked=freed.asked + len(offers))
        await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(freed.id), due=until)


async def _who_can(ctx: Context, tx: Transaction, freed: OfferRound, *, number: int) -> Sequence[Appointment]:
    """Return whose later visit could be then: as far as is known the patient can come."""
    window = Span(freed.starts_at, freed.ends_at)
    programmes = rules.offers.programmes_alike(ctx.clinic, freed)
    later = freed.starts_at + rules.offers.GAIN
    found: list[Appointment] = []
    for look in range(_MOST_LOOKS):
        rows = await queries.offers.to_ask(
            tx, freed, programmes=programmes, later_than=later, limit=_LOOKED_AT, skip=look * _LOOKED_AT
        )
        referrals = (await queries.board.referrals_of(tx, {row.referral_id for row in rows})) if rows else {}
        when_not = await time_of_patients.run(ctx, tx, list(referrals.values()), window=window)
        for row in rows:
            never = when_not[row.referral_id].never
            is_known = row.patient_id in {one.patient_id for one in found}
            if not is_known and not any(
                span.start < window.end and window.start < span.end for span in never
            ):
                found.append(row)
            if len(found) == number:
                return found
        if len(rows) < _LOOKED_AT:
            break
    return found


async def _hold(ctx: Context, tx: Transaction, freed: OfferRound, *, until: datetime, need: Need) -> bool:
    if freed.group_session is not None:
        seat = await _free_seat(ctx, tx, freed, freed.group_session)
        await tx.update(freed, seat=seat, held_until=until)
        return seat is not None
    place = rules.offers.place_of(freed, need=need)
    claim = OccupancyClaim(appointment=freed.id, resources=place.resources, span=place.taken, until=until)
    return await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True)


async def _take(
    ctx: Context, tx: Transaction, row: Appointment, offer: TimeOffer, freed: OfferRound, *, need: Need
) -> None:
    """Give the held time to the visit instead of its own, without writing that."""
    left, place = rules.given_up.by_moving(row), rules.offers.place_of(freed, need=need)
    await queries.occupancy.count_freed(tx, [row.site])
    if freed.group_session is not None:
        await _take_seat(ctx, tx, row, offer, freed)
        await queries.given_up.keep(tx, left)
        return
    await queries.occupancy.release(tx, [freed.id])
    patient = patient_key(row.patient_id)
    taken = await queries.occupancy.taken(
        tx, [patient], window=place.span, at=ctx.at, but_not=[row.id, freed.id]
    )
    if taken.get(patient):
        raise _over(ctx, offer, Reason.of("patient-busy", until=max(span.end for span in taken[patient])))
    claim = record.claim_of(row, place)
    if not await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True):
        raise _over(ctx, offer, Reason.of("offer-taken"))
    await queries.given_up.take_back(tx, row.patient_id, resources=claim.resources, span=place.span)
    await queries.given_up.keep(tx, left)
    record.put_into(row, place)


async def _take_seat(
    ctx: Context, tx: Transaction, row: Appointment, offer: TimeOffer, freed: OfferRound
) -> None:
    if freed.group_session is None:
        raise LookupError(f"the freed time {freed.id} is of no group")
    try:
        await take_seat.in_session(ctx, tx, row, freed.group_session, offered=freed.id)
    except CannotMove as refusal:
        raise _over(ctx, offer, refusal.problems[0].reason or Reason.of("offer-gone")) from refusal


async def _say_yes(ctx: Context, tx: Transaction, offer: TimeOffer, freed: OfferRound) -> None:
    others = [one for one in await queries.offers.open_of(tx, freed.id) if one.id != offer.id]
    offer.status, offer.ended_because = OfferStatus.COMPLETED, [Reason.of("offer-accepted")]
    await freed_time.save(ctx, tx, offer)
    await freed_time.publish(ctx, tx, events.OfferAccepted, [offer])
    await freed_time.end(ctx, tx, others, because=Reason.of("offer-taken"))
    await tx.update(freed, status=RoundStatus.TAKEN.value)
    await timers.cancel(tx, kind=TimerKind.ROUND, ref=str(freed.id))


async def _waits_for_plan(ctx: Context, tx: Transaction, freed: OfferRound) -> bool:
    """Let the plan of the evening give the time to who was promised a day, once, where that is in time."""
    if ctx.clinic.scheduling.policy is not SchedulingPolicy.PLAN or freed.waited_for_plan:
        return False
    site = ctx.clinic.site(freed.site)
    due = plan_first_visits.next_evening(ctx, site) + _AFTER_THE_PLAN
    programmes = rules.offers.programmes_alike(ctx.clinic, freed)
    if due + rules.offers.GAIN > freed.starts_at:
        return False
    if not await queries.offers.is_promised(tx, freed.site, programmes=programmes):
        return False
    await tx.update(freed, waited_for_plan=True)
    await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(freed.id), due=due)
    return True


async def _close(ctx: Context, tx: Transaction, freed: OfferRound, status: RoundStatus) -> None:
    """End a round; what it held is anybody's again."""
    await queries.occupancy.release(tx, [freed.id])
    await tx.update(freed, status=status.value)
    if status is RoundStatus.LEFT and freed.batch:
        await timers.schedule(tx, kind=TimerKind.OFFER, ref=freed.site, due=ctx.at)


async def _is_gone(tx: Transaction, freed: OfferRound, *, need: Need) -> bool:
    """Tell whether nobody can have the time: who gives it is not there, or the group does not take place."""
    if freed.group_session is None:
        return rules.offers.why_gone(freed, need=need) is not None
    sessions = await queries.group_sessions.locked(tx, [freed.group_session])
    return not any(session.status == GroupStatus.OPEN for session in sessions)


async def _free_seat(ctx: Context, tx: Transaction, freed: OfferRound, session_id: UUID) -> int | None:
    """Lock the session of a freed seat, and return a seat that nobody has or is offered."""
    [session] = await queries.group_sessions.locked(tx, [session_id])
    gone = await queries.group_sessions.seats_gone(tx, [session_id], at=ctx.at, but_not=[freed.id])
    return rules.groups.free_seat(session, gone[session_id])


async def _is_free(ctx: Context, tx: Transaction, freed: OfferRound, *, need: Need) -> bool:
    if freed.group_session is not None:
        return await _free_seat(ctx, tx, freed, freed.group_session) is not None
    place = rules.offers.place_of(freed, need=need)
    taken = await queries.occupancy.taken(
        tx, place.resources, window=place.taken, at=ctx.at, but_not=[freed.id]
    )
    return not any(taken.values())


def _need(ctx: Context, freed: OfferRound) -> Need | None:
    """Return what the visit needs whose time was freed."""
    asked = Appointment(
        referral_id=freed.id,
        kind=freed.kind,
        status="booked",
        patient_id=freed.patient_id,
        programme=freed.programme,
        site=freed.site,
        requester="",
        minutes=freed.minutes,
        visit_type=freed.visit_type,
    )
    return rules.needs.need_of_row(ctx.clinic, asked, at=ctx.at)


def _offer(ctx: Context, freed: OfferRound, row: Appointment, *, until: datetime) -> TimeOffer:
    if row.starts_at is None:
        raise LookupError(f"appointment {row.id} has no time to change")
    offer = TimeOffer(
        round_id=freed.id,
        appointment_id=row.id,
        referral_id=row.referral_id,
        patient_id=row.patient_id,
        site=row.site,
        requester=row.requester,
        starts_at=freed.starts_at,
        ends_at=freed.ends_at,
        practitioner=freed.practitioner,
        had_start=row.starts_at,
        opened_at=ctx.at,
        due_at=until,
    )
    store.fill(offer, fhir.offers.render(ctx, offer), at=ctx.at)
    return offer


async def _seen(ctx: Context, tx: Transaction, task_id: str) -> TimeOffer:
    wanted = as_uuid(task_id)
    seen = None if wanted is None else await queries.offers.visible_to(tx, ctx.caller, wanted)
    if seen is None:
        raise NotFound(f"there is no offer Task/{task_id[:64]} that you may see")
    return seen


async def _locked(tx: Transaction, seen: TimeOffer) -> tuple[OfferRound, TimeOffer]:
    freed = await queries.offers.round_locked(tx, seen.round_id)
    offer = await queries.offers.locked(tx, seen.id)
    if freed is None or offer is None:
        raise LookupError(f"offer {seen.id} has no freed time")
    return freed, offer


def _over(ctx: Context, offer: TimeOffer, why: Reason) -> OfferOver:
    zone, words = ctx.clinic.site(offer.site).zone, texts.words_of(ctx.clinic)
    return OfferOver.because(why, texts.REASONS, expression="Task.status", zone=zone, words=words)
