"""A patient answers about a visit by the link of a message, or says how to be reminded.

Invariants:
- A link takes one answer; a repeat is told the first one, whatever it says itself.
- What is answered is the visit as it was told: of one that has another time now nothing is taken.
- The answer and the event by which `scheduling` hears of it are one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.notifications import fhir
from services.notifications.models.opened import Opened
from services.notifications.models.rows import PatientChoice, PatientLink
from services.notifications.rules.feed import FeedEntry
from services.notifications.rules.routing import PATIENT_ANSWERS
from services.notifications.states import Answer, Audience
from services.notifications.use_cases import end
from shared.context import Context
from shared.db import Transaction
from shared.errors import Conflict
from shared.events.catalog import DomainEvent
from shared.events.catalog.notifications import AppointmentAnswered, IntakeAnswered, OfferAnswered
from shared.events.inbox.deduplication import first_time
from shared.events.outbox.publishing import publish


class NothingToAnswer(Conflict):
    """The message is about no visit that can be answered, or the visit has changed since it was told."""


async def run(
    ctx: Context, tx: Transaction, opened: Opened, *, answer: Answer, comment: str | None
) -> PatientLink:
    """Take the answer of an opened link, or give the one that was taken before; raises NothingToAnswer."""
    link, visit = opened.link, opened.visit
    if link.answer is not None:
        return link
    if link.offer_id is not None:
        return await _answer_offer(ctx, tx, opened, answer=answer)
    if visit is None or link.starts_at is None:
        raise NothingToAnswer("this message asks for no answer", expression="answer")
    if not opened.stands:
        raise NothingToAnswer("the visit is not as this message says any more", expression="answer")
    await tx.update(link, answer=answer, comment=comment or None, answered_at=ctx.at)
    event = AppointmentAnswered(
        patient_id=link.patient_id,
        referral_id=link.referral_id,
        resources=(fhir.links.answer(ctx, link, visit),),
    )
    await _publish(ctx, tx, opened, event)
    return link


async def _answer_offer(ctx: Context, tx: Transaction, opened: Opened, *, answer: Answer) -> PatientLink:
    """Take a yes or a no to an offer that stands; who else has said yes first, `scheduling` knows."""
    link, offer = opened.link, opened.offer
    if answer is Answer.TENTATIVE:
        raise NothingToAnswer("an offer is taken, or one's own time is kept", expression="answer")
    if offer is None or not offer.can_be_taken(ctx.at):
        raise NothingToAnswer("the time is not offered any more; your own is kept", expression="answer")
    await tx.update(link, answer=answer, answered_at=ctx.at)
    event = OfferAnswered(
        patient_id=link.patient_id,
        referral_id=link.referral_id,
        resources=(fhir.links.offer_answer(ctx, link, offer),),
    )
    await _publish(ctx, tx, opened, event)
    return link


async def take_intake(
    ctx: Context, tx: Transaction, opened: Opened, *, answers: Mapping[str, int | str]
) -> PatientLink:
    """Take the intake form of an opened link, once; raises NothingToAnswer."""
    link = opened.link
    if link.intake_at is not None:
        return link
    if not opened.takes_intake:
        raise NothingToAnswer("the form is for before a first visit that stands", expression="answers")
    await tx.update(link, intake_at=ctx.at)
    event = IntakeAnswered(
        patient_id=link.patient_id,
        referral_id=link.referral_id,
        resources=(fhir.links.intake_response(ctx, link, answers),),
    )
    await _publish(ctx, tx, opened, event)
    return link


async def _publish(ctx: Context, tx: Transaction, opened: Opened, event: DomainEvent) -> None:
    caused = replace(ctx, cause=str(opened.link.notification_id))
    (event_id,) = await publish(caused, tx, opened.link, event)
    # What others do about it is heard here too, and waits until its cause was: nobody else brings it.
    await first_time(tx, group="notifications", event_id=event_id)
    await end.append_entries(tx, [_entry(ctx, opened, event, event_id=event_id)])


async def choose(
    ctx: Context, tx: Transaction, opened: Opened, *, reminder_days: Sequence[int], sends_calendar: bool
) -> PatientChoice:
    """Keep how a patient wants to be reminded from now on."""
    choice = PatientChoice(
        patient_id=opened.link.patient_id,
        reminder_days=sorted(set(reminder_days), reverse=True),
        sends_calendar=sends_calendar,
        chosen_at=ctx.at,
    )
    await tx.upsert(choice)
    return choice


def _entry(ctx: Context, opened: Opened, event: DomainEvent, *, event_id: str) -> FeedEntry:
    people = () if opened.visit is None or opened.visit.practitioner is None else (opened.visit.practitioner,)
    return FeedEntry(
        id=event_id,
        type=event.name,
        time=ctx.at.isoformat(),
        text=PATIENT_ANSWERS[event.name],
        focus=f"Appointment/{opened.link.visit_id}",
        patient=opened.link.patient_id,
        referral=opened.link.referral_id,
        audiences=(Audience.COORDINATOR, Audience.PARTICIPANTS, Audience.TEAM),
        site=opened.site,
        people=people,
    )
