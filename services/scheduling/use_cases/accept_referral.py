"""Accepted referrals get their promises and their first appointments, several at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models import Appointment, Referral
from services.scheduling.states import AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.earliest import Wanted, take_earliest
from services.scheduling.use_cases.place_first import first_visit, wanted_first
from services.scheduling.use_cases.promise import make_promise, tell_promise, weigh_known
from services.scheduling.use_cases.recording import keep, tell
from services.scheduling.use_cases.timer_kinds import TimerKind
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import scheduling as events
from shared.events.catalog.referral import ReferralAccepted
from shared.fhir.references import local_id


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A referral that is new here, and its first appointment, which has a time or is to wait for one."""

    referral: Referral
    visit: Appointment


async def find_new(tx: Transaction, events: Sequence[ReferralAccepted]) -> set[int]:
    """Return the places of those that are not known: the others were accepted before, or ended since."""
    ids = [UUID(event.referral) for event in events]
    known = await queries.known_referrals(tx, ids)
    new = set()
    for place, referral_id in enumerate(ids):
        if referral_id not in known:
            known.add(referral_id)
            new.add(place)
    return new


def accept(ctx: Context, heard: ReferralAccepted) -> Accepted:
    """Make the referral as it is kept here, and its first appointment without a time."""
    zone = ctx.clinic.site(heard.site).zone
    away = [rules.span_between(first, last, zone) for first, last in heard.unavailable]
    referral = Referral(
        id=UUID(heard.referral),
        patient_id=local_id(heard.focus["subject"]),
        programme=heard.programme,
        site=heard.site,
        requester=heard.requester,
        payer=heard.payer,
        accepted_at=ctx.at,
        sent_at=heard.sent_at,
        complete_at=heard.complete_at,
        due_on=heard.due_on,
        due_at=rules.local_day_end(heard.due_on, zone),
        unavailable=[[start.isoformat(), end.isoformat()] for start, end in away],
    )
    return Accepted(referral=referral, visit=first_visit(ctx, referral))


async def place(
    ctx: Context, tx: Transaction, accepted: Sequence[Accepted], *, cache: AvailabilityCache
) -> None:
    """Keep the referrals and take the earliest fitting time for each of them; who gets none waits."""
    wanted: list[Wanted] = [wanted_first(ctx, one.visit, one.referral, cache=cache) for one in accepted]
    await take_earliest(ctx, tx, wanted, cache=cache)
    for one in wanted:
        if one.candidate is not None:
            one.row.status = AppointmentStatus.BOOKED
    for new in accepted:
        tx.add(new.referral)


async def record_accepted(ctx: Context, tx: Transaction, one: Accepted) -> None:
    """Record the promise and the first appointment of a referral, and tell of them.

    Sessions are not looked at: nobody has granted any yet, and the first appointment did not take place. Who
    waits tries once more after this transaction: a time that was freed meanwhile would be seen by nobody.
    """
    guarantee = await make_promise(ctx, tx, one.referral)
    await keep(ctx, tx, one.visit)
    promise = await weigh_known(ctx, tx, one.referral, guarantee=guarantee, firsts=[one.visit])
    if one.visit.status == AppointmentStatus.WAITLIST:
        tell(ctx, tx, events.WaitlistJoined, one.visit, promise=promise)
        await timers.schedule(tx, kind=TimerKind.TRY, ref=str(one.visit.id), due=ctx.at)
    else:
        tell(ctx, tx, events.AppointmentBooked, one.visit, promise=promise)
    tell_promise(ctx, tx, promise)
