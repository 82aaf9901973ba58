"""What people do with an appointment: all of it by a PUT, which says what shall be. The Task of a guarantee
follows from what becomes of the visit, and nobody changes it by hand.
"""

from functools import partial
from typing import Any
from uuid import UUID

from services.scheduling import queries, texts
from services.scheduling.models.rows import Guarantee
from services.scheduling.queries.scope import APPOINTMENT_ROWS, GUARANTEE_ROWS
from services.scheduling.rules import acts
from services.scheduling.rules.acts import AppointmentFacts
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import AppointmentStatus
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_change = partial(
    Operation[AppointmentFacts],
    kind="update",
    resource_type="Appointment",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows=APPOINTMENT_ROWS,
    refuses=(NotInThisState, TooEarly, CannotMove),
)
_TIME = (
    Parameter(name="start", type="instant", min=1, text="When it begins, with its zone."),
    Parameter(name="end", type="instant", min=1, text="`minutesDuration` after the start."),
)
_REASON = Parameter(
    name="cancelationReason",
    type="CodeableConcept",
    min=1,
    text="Why: a code of HL7, of which `pat...` is the patient's doing and all else the clinic's, and words.",
)
# What is recorded of a visit by giving it a status.
_STATUS_OF_VERB = {
    "arrive": (AppointmentStatus.ARRIVED, "Record that the patient is there."),
    "fulfil": (AppointmentStatus.FULFILLED, "Record that the visit took place."),
    "miss": (AppointmentStatus.MISSED, "Record that the patient did not come."),
    "cancel": (AppointmentStatus.CANCELLED, "Call the visit off."),
}


async def _appointment(
    ctx: Context, tx: Transaction, appointment_id: str
) -> Subject[AppointmentFacts] | None:
    try:
        row = await queries.appointments.visible(tx, UUID(appointment_id), scope_of=ctx.caller)
    except ValueError:
        return None
    referral = None if row is None else await queries.referrals.by_id(tx, row.referral_id)
    if row is None or referral is None:
        return None
    zone = ctx.clinic.site(row.site).zone
    return Subject(row=row, facts=AppointmentFacts(row=row, referral=referral), zone=zone)


def _recorded(verb: str, status: AppointmentStatus, text: str) -> Operation[AppointmentFacts]:
    wanted = Parameter(name="status", type="code", min=1, text="The new status.", values=(status,))
    why = (_REASON,) if status is AppointmentStatus.CANCELLED else ()
    may = partial(acts.may_record, status=status)
    return _change(name=verb, text=text, parameters=(wanted, *why), when=may)


APPOINTMENTS = OperationTable[AppointmentFacts](
    resource_type="Appointment",
    rows=APPOINTMENT_ROWS,
    load=_appointment,
    sentences=texts.REASONS,
    words=texts.words_of,
    operations=(
        _change(name="move", text="Give it another start.", parameters=_TIME, when=acts.may_move),
        _change(
            name="book",
            text="Book a place on the waitlist by giving it a start, later than due too.",
            parameters=_TIME,
            when=acts.may_book,
        ),
        *(_recorded(verb, status, text) for verb, (status, text) in _STATUS_OF_VERB.items()),
    ),
)


async def _guarantee(ctx: Context, tx: Transaction, guarantee_id: str) -> Subject[Guarantee] | None:
    try:
        row = await queries.guarantees.visible_to(tx, ctx.caller, UUID(guarantee_id))
    except ValueError:
        return None
    return None if row is None else Subject(row=row, facts=row)


GUARANTEES = OperationTable[Guarantee](
    resource_type="Task",
    rows=GUARANTEE_ROWS,
    load=_guarantee,
    sentences=texts.REASONS,
    operations=(),
)

TABLES: tuple[OperationTable[Any], ...] = (APPOINTMENTS, GUARANTEES)
