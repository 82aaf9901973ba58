"""Open the link of a message to a patient: nothing is shown before the birth date is right.

Invariants:
- A wrong birth date costs a try and is written, whatever else happens; after the last one the link has ended.
- Who has no secret of ours learns nothing: not whether there was such a link.
"""

from dataclasses import dataclass

from services.notifications import queries
from services.notifications.models.opened import Opened
from services.notifications.models.rows import KnownPatient, PatientLink
from services.notifications.rules import reaching
from services.notifications.states import BOOKED, Answer
from services.notifications.use_cases.write_to_patient import mark_of
from shared.audit import record as audit
from shared.context import Context
from shared.db import Transaction
from shared.errors import Gone, NotFound


class NoSuchLink(NotFound):
    """There is no message behind this link."""


class LinkEnded(Gone):
    """The link has ended: its visit has begun, what it gave was called off, or too many birth dates were
    wrong.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongBirthDate:
    """The birth date was not the patient's; so many tries are left."""

    tries_left: int


async def run(ctx: Context, tx: Transaction, secret: str, *, birth_date: str) -> Opened | WrongBirthDate:
    """Open a link and lock it; raises NoSuchLink and LinkEnded, and then has written nothing.

    A wrong birth date is an answer and no refusal: the try that it cost must be kept.
    """
    link = await queries.links.locked(tx, mark_of(secret))
    if link is None:
        raise NoSuchLink("there is no message behind this link")
    if link.tries_left == 0 or ctx.at >= link.ends_at or await _was_called_off(tx, link):
        raise LinkEnded("this link has ended")
    patient = (await queries.patients.named(tx, [link.patient_id])).get(link.patient_id)
    message = await queries.messages.of_link(tx, link.notification_id)
    if patient is None or not reaching.proves(patient, birth_date):
        await tx.update(link, tries_left=link.tries_left - 1)
        await _note(ctx, tx, link, site=message.site, outcome=audit.REFUSED)
        return WrongBirthDate(tries_left=link.tries_left)
    await _note(ctx, tx, link, site=message.site, outcome=audit.GRANTED)
    return await _opened(ctx, tx, link, patient=patient, site=str(message.site))


async def _was_called_off(tx: Transaction, link: PatientLink) -> bool:
    """Tell whether the patient took a time by this link, and nothing of that is booked any more."""
    if link.offer_id is None or link.answer != Answer.ACCEPTED or link.visit_id is None:
        return False
    visit = await queries.visits.locked(tx, link.visit_id)
    return visit is not None and visit.status != BOOKED


async def _opened(
    ctx: Context, tx: Transaction, link: PatientLink, *, patient: KnownPatient, site: str
) -> Opened:
    visit = None if link.visit_id is None else await queries.visits.locked(tx, link.visit_id)
    offer = None if link.offer_id is None else await queries.visits.offer_locked(tx, link.offer_id)
    last = None
    if visit is not None and offer is None:
        last = await queries.links.answered(tx, visit.id, starts_at=visit.starts_at)
    return Opened(
        link=link,
        patient=patient,
        visit=visit,
        offer=offer,
        to_come=await queries.visits.to_come(tx, link.referral_id, now=ctx.at),
        choice=(await queries.links.choices(tx, [link.patient_id])).get(link.patient_id),
        last_answer=last,
        site=site,
    )


async def _note(
    ctx: Context, tx: Transaction, link: PatientLink, *, site: str | None, outcome: audit.Outcome
) -> None:
    access = audit.Access(
        service="notifications",
        how="operation",
        what=f"Communication/{link.notification_id}",
        patients=(link.patient_id,),
        site=site,
        outcome=outcome,
        reason=None if outcome == audit.GRANTED else WrongBirthDate.__name__,
    )
    await audit.record(ctx, tx, access)
