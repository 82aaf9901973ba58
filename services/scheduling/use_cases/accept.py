"""Accepted referrals get their guarantees and their first appointments, several at once.

Sessions are not looked at: nobody has granted any yet, and the first appointment did not take place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.scheduling import queries, rules
from services.scheduling.models.rows import Appointment, Guarantee, Referral
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.states import AppointmentStatus, ReferralState
from services.scheduling.use_cases import (
    answer_first,
    book_first,
    end,
    record,
    record_guarantee,
    tell_patient,
)
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import DomainEvent
from shared.events.catalog import scheduling as events
from shared.events.catalog.referral import ReferralAccepted
from shared.events.outbox.publishing import Publication, publish_first
from shared.fhir import store
from shared.fhir.references import local_id
from shared.reasons import Reason
from shared.timers import Timer


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """A referral that is new here, its guarantee, and its first appointment, which has a time or waits."""

    referral: Referral
    guarantee: Guarantee
    visit: Appointment


@dataclass(frozen=True, kw_only=True)
class Known:
    """The referrals that were accepted before, ended or not, and the patients who have died."""

    referrals: set[str]
    died: set[str]


async def known(tx: Transaction, accepted: Sequence[DomainEvent]) -> Known:
    """Return what is known of the referrals of a batch and of their patients."""
    ids = [UUID(event.referral) for event in accepted]
    patients = {_patient_of(event) for event in accepted}
    referrals, died = await queries.referrals.known(tx, ids, patients=patients)
    return Known(referrals=referrals, died=died)


def prepare(ctx: Context, event: ReferralAccepted) -> Acceptance:
    """Make the referral as it is kept here, and its first appointment without a time."""
    zone = ctx.clinic.site(event.site).zone
    referral = Referral(
        id=UUID(event.referral),
        patient_id=_patient_of(event),
        programme=event.programme,
        site=event.site,
        requester=event.requester,
        payer=event.payer,
        accepted_at=ctx.at,
        sent_at=event.sent_at,
        complete_at=event.complete_at,
        priority=event.priority,
        priority_version=event.version,
        due_on=event.due_on,
        due_at=rules.calendar.local_day_end(event.due_on, zone),
        unavailable=rules.calendar.spans_away(event.unavailable, zone),
        person=event.person,
    )
    guarantee = Guarantee(
        referral_id=referral.id,
        patient_id=referral.patient_id,
        site=referral.site,
        requester=referral.requester,
        due_at=referral.due_at,
        second_due_at=rules.guarantee.second_end(
            referral.sent_at, days=ctx.clinic.guarantee.second_days, zone=zone
        ),
    )
    return Acceptance(referral=referral, guarantee=guarantee, visit=book_first.unbooked(ctx, referral))


async def take_times(
    ctx: Context, tx: Transaction, acceptances: Sequence[Acceptance], *, cache: AvailabilityCache
) -> None:
    """Take a fitting time for each of them by the clinic's policy, or promise one; who gets none waits."""
    visits = [(new.visit, new.referral) for new in acceptances]
    answers = await answer_first.run(ctx, tx, visits, cache=cache)
    asked = []
    for (visit, referral), answer in zip(visits, answers, strict=True):
        if answer.is_promise:
            visit.status = AppointmentStatus.PROPOSED
        else:
            asked.append((visit, referral, answer))
    await book_first.find_times(ctx, tx, asked, cache=cache)


def decide(ctx: Context, acceptance: Acceptance) -> list[Publication]:
    """Evaluate the guarantee of a referral whose first appointment has got a time, is promised one or waits.

    Returns what is to be published.
    """
    visit = acceptance.visit
    record.fill_appointment(ctx, visit)
    evaluated = record_guarantee.evaluate(ctx, acceptance.guarantee, acceptance.referral, [visit])
    if visit.status == AppointmentStatus.PROPOSED:
        promised = record.guarantee_publication(ctx, events.GuaranteePromised, acceptance.guarantee)
        return [promised, *record.first_publications(ctx, visit, evaluated=evaluated)]
    waits = visit.status == AppointmentStatus.WAITLIST
    event = events.WaitlistJoined if waits else events.AppointmentBooked
    person = acceptance.referral.person
    return record.first_publications(ctx, visit, event, evaluated=evaluated, person=person)


async def save(
    ctx: Context,
    tx: Transaction,
    acceptances: Sequence[Acceptance],
    *,
    publications: Sequence[Publication],
) -> None:
    """Write what a batch makes, each table once, and set the timers of the guarantees."""
    await publish_first(tx, publications)
    await tx.insert(*(new.referral for new in acceptances))
    await tx.insert(*(new.guarantee for new in acceptances))
    await tx.insert(*(new.visit for new in acceptances))
    await tx.insert(*tell_patient.asks(ctx, [new.visit for new in acceptances]))
    await timers.schedule_all(tx, [timer for new in acceptances for timer in _timers(ctx, new)])


async def refuse(ctx: Context, tx: Transaction, acceptance: Acceptance) -> None:
    """Keep a referral whose patient has died, ended: nothing is booked, nothing waits, and that is published.

    Its first appointment is a place on the waitlist that is left at once.
    """
    referral, guarantee, visit = acceptance.referral, acceptance.guarantee, acceptance.visit
    because = Reason.of("patient-died")
    record.fill_appointment(ctx, visit)
    waited = store.earlier_version(visit)
    await end.call_off(ctx, tx, visit, because=because, code=end.DECEASED)
    record.fill_appointment(ctx, visit)
    referral.state, referral.ended_because = ReferralState.ENDED, [because]
    evaluated = record_guarantee.evaluate(ctx, guarantee, referral, [visit])
    left = record.first_publications(ctx, visit, events.WaitlistLeft, evaluated=evaluated)
    await publish_first(tx, [*left, record.guarantee_publication(ctx, events.BookingEnded, guarantee)])
    await tx.insert(referral, guarantee, visit, waited)


def _patient_of(event: DomainEvent) -> str:
    return local_id(event.focus["subject"])


def _timers(ctx: Context, new: Acceptance) -> Iterator[Timer]:
    """Go through the timers of a guarantee, and that of a visit which waits and tries once more.

    A time that was freed while this transaction looked would otherwise be seen by nobody.
    """
    yield from record_guarantee.timers_of(ctx, new.referral, guarantee=new.guarantee)
    if new.visit.status == AppointmentStatus.WAITLIST:
        yield Timer(kind=TimerKind.TRY, ref=str(new.visit.id), due_at=ctx.at)
