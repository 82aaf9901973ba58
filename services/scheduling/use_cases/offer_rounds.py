"""Offer a freed time to patients who have a later one, a few at once.

Invariants:
- Whoever has no day takes the time first; while it is offered it is held for those who are asked.
- A time is offered to one batch at a time, and an offer ends before its visit.
- Locks: freed time, the site's count, offers; whoever asks the next batch has no referral.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.scheduling import fhir, queries, rules
from services.scheduling.models.offers import OfferRound, TimeOffer
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.queries.occupancy import OccupancyClaim
from services.scheduling.rules.needs import Need
from services.scheduling.states import RoundStatus
from services.scheduling.use_cases import freed_time, plan_first_visits, time_of_patients
from shared import timers
from shared.clinic import Offers, SchedulingPolicy
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.fhir import store
from shared.reasons import Reason

# So many visits are looked at at once for who can come, and so often at most; nobody behind them is asked.
_LOOKED_AT = 40
_MOST_LOOKS = 25
_AFTER_THE_PLAN = timedelta(minutes=10)


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
    need = rules.offers.need_of(ctx.clinic, freed, at=ctx.at)
    if terms is None or need is None or await freed_time.is_gone(tx, freed, need=need):
        await _close(ctx, tx, freed, RoundStatus.LEFT)
    elif not await _is_free(ctx, tx, freed, need=need):
        await _close(ctx, tx, freed, RoundStatus.FILLED)
    elif not await _waits_for_plan(ctx, tx, freed):
        await _ask(ctx, tx, freed, terms, need=need)


async def _ask(ctx: Context, tx: Transaction, freed: OfferRound, terms: Offers, *, need: Need) -> None:
    until = rules.offers.open_until(terms, now=ctx.at, starts_at=freed.starts_at, zone=need.site.zone)
    if until is None:
        await _ask_later(ctx, tx, freed, terms, need=need)
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


async def _ask_later(ctx: Context, tx: Transaction, freed: OfferRound, terms: Offers, *, need: Need) -> None:
    """Let anybody have the time until the next can be asked; for good where that is never."""
    later = rules.offers.next_try(terms, now=ctx.at, starts_at=freed.starts_at, zone=need.site.zone)
    if later is None:
        await _close(ctx, tx, freed, RoundStatus.LEFT)
        return
    await queries.occupancy.release(tx, [freed.id])
    await tx.update(freed, seat=None, held_until=None)
    await timers.schedule(tx, kind=TimerKind.ROUND, ref=str(freed.id), due=later)


async def _who_can(ctx: Context, tx: Transaction, freed: OfferRound, *, number: int) -> Sequence[Appointment]:
    """Return whose later visit could be then: as far as is known the patient can come."""
    window = Span(freed.starts_at, freed.ends_at)
    programmes = rules.offers.programmes_alike(ctx.clinic, freed)
    later = freed.starts_at + rules.offers.GAIN
    found: dict[str, Appointment] = {}
    for look in range(_MOST_LOOKS):
        rows = await queries.offers.to_ask(
            tx, freed, programmes=programmes, later_than=later, limit=_LOOKED_AT, skip=look * _LOOKED_AT
        )
        referrals = (await queries.board.referrals_of(tx, {row.referral_id for row in rows})) if rows else {}
        when_not = await time_of_patients.run(ctx, tx, list(referrals.values()), window=window)
        for row in rows:
            if not any(span.meets(window) for span in when_not[row.referral_id].never):
                found.setdefault(row.patient_id, row)
            if len(found) == number:
                return list(found.values())
        if len(rows) < _LOOKED_AT:
            break
    return list(found.values())


async def _hold(ctx: Context, tx: Transaction, freed: OfferRound, *, until: datetime, need: Need) -> bool:
    if freed.group_session is not None:
        seat = await _free_seat(ctx, tx, freed, freed.group_session)
        await tx.update(freed, seat=seat, held_until=until)
        return seat is not None
    place = rules.offers.place_of(freed, need=need)
    claim = OccupancyClaim(appointment=freed.id, resources=place.resources, span=place.taken, until=until)
    return await queries.occupancy.claim_all(tx, [claim], at=ctx.at, moving=True)


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
