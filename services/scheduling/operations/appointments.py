"""What people do with an appointment: by a PUT, which says what shall be, or by a correction of what was.
New ones are found, held and booked by the operations of `booking`.
"""

from dataclasses import replace
from functools import partial
from uuid import UUID

from services.scheduling import queries, texts, use_cases
from services.scheduling.operations import booking
from services.scheduling.queries.scope import APPOINTMENT_ROWS, CHANGE_ROWS
from services.scheduling.rules import acts
from services.scheduling.rules.acts import AppointmentFacts
from services.scheduling.rules.correction import CannotCorrect
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import CORRECTIONS, AppointmentStatus
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.change import HeldByAnother, VisitOfAnother
from services.scheduling.use_cases.correct import NoReason
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_change = partial(
    Operation[AppointmentFacts],
    kind="update",
    resource_type="Appointment",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows=CHANGE_ROWS,
    refuses=(VisitOfAnother, HeldByAnother, NotInThisState, TooEarly, CannotMove),
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
    "check-in": (AppointmentStatus.CHECKED_IN, "Record that the patient is in the room."),
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
    firsts = await queries.appointments.firsts_seen(tx, row.referral_id)
    facts = AppointmentFacts(row=row, referral=referral, firsts=firsts)
    return Subject(row=row, facts=facts, zone=ctx.clinic.site(row.site).zone)


def _recorded(verb: str, status: AppointmentStatus, text: str) -> Operation[AppointmentFacts]:
    wanted = Parameter(name="status", type="code", min=1, text="The new status.", values=(status,))
    why = (_REASON,) if status is AppointmentStatus.CANCELLED else ()
    may = partial(acts.may_record, status=status)
    return _change(name=verb, text=text, parameters=(wanted, *why), when=may)


_CORRECT = Operation[AppointmentFacts](
    name="correct-status",
    resource_type="Appointment",
    parties=("coordinator",),
    interaction="u",
    rows=APPOINTMENT_ROWS,
    text="Correct a status that was recorded by mistake, and take back what followed where that can be.",
    parameters=(
        Parameter(
            name="status",
            type="code",
            min=1,
            text="What it should have been.",
            values=sorted({status for possible in CORRECTIONS.values() for status in possible}),
        ),
        Parameter(name="reason", min=1, text="Why, in words that the other side reads."),
    ),
    refuses=(CannotCorrect, NoReason),
    matches=True,
    when=acts.may_correct,
    run=lambda ctx, tx, given: use_cases.correct.run(
        ctx, tx, given.id, given=given.values, expect=given.expect
    ),
)

_LEAVE_UNSEEN = Operation[AppointmentFacts](
    name="leave-unseen",
    resource_type="Appointment",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows=CHANGE_ROWS,
    text="Record that the patient had come and left without being seen: it is no missed visit.",
    refuses=use_cases.leave_unseen.REFUSES,
    matches=True,
    applies=acts.has_come,
    when=acts.may_leave_unseen,
    run=lambda ctx, tx, given: use_cases.leave_unseen.run(
        ctx, tx, given.id, cache=AvailabilityCache(), expect=given.expect
    ),
)

_CANCEL_GROUP = Operation[AppointmentFacts](
    name="cancel-group",
    resource_type="Appointment",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows=CHANGE_ROWS,
    text="Cancel the group session for everybody in it; one seat is given up by cancelling its visit.",
    parameters=(Parameter(name="reason", min=1, text="Why, in words that everybody concerned reads."),),
    refuses=use_cases.cancel_group.REFUSES,
    applies=acts.has_a_seat,
    when=acts.may_cancel_group,
    run=lambda ctx, tx, given: use_cases.cancel_group.run(ctx, tx, given.id, given=given.values),
)

# What is done with an appointment that there is.
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
        _change(
            name="confirm",
            text="Book what is held.",
            parameters=(
                Parameter(
                    name="status",
                    type="code",
                    min=1,
                    text="The new status.",
                    values=(AppointmentStatus.BOOKED,),
                ),
            ),
            applies=acts.is_held,
            when=acts.may_confirm,
        ),
        *(_recorded(verb, status, text) for verb, (status, text) in _STATUS_OF_VERB.items()),
        _LEAVE_UNSEEN,
        _CORRECT,
        _CANCEL_GROUP,
    ),
)


def table(cache: AvailabilityCache) -> OperationTable[AppointmentFacts]:
    """Make the whole table of appointments; times are looked for with this cache."""
    made = (booking.find(cache), booking.hold(), booking.book(cache))
    return replace(APPOINTMENTS, operations=(*made, *APPOINTMENTS.operations))
