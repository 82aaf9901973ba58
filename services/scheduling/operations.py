"""What people do with an appointment: by a PUT, which says what shall be, or by a correction of what was.
The Task of a guarantee follows from what becomes of the visit, and nobody changes it by hand.
"""

from functools import partial
from typing import Any
from uuid import UUID

from services.scheduling import fhir, queries, texts, use_cases
from services.scheduling.queries.scope import (
    APPOINTMENT_ROWS,
    CHANGE_ROWS,
    REPLAN_ROWS,
    ROSTER_ROWS,
    TASK_ROWS,
)
from services.scheduling.rules import acts
from services.scheduling.rules.acts import AppointmentFacts, TaskFacts
from services.scheduling.rules.conflicts import TaskEnded
from services.scheduling.rules.correction import CannotCorrect
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.roster import CannotChangeRoster
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.states import CORRECTIONS, AppointmentStatus
from services.scheduling.use_cases.change import VisitOfAnother
from services.scheduling.use_cases.correct import NoReason
from services.scheduling.use_cases.replan import KeptByTheVisit
from shared.context import Context
from shared.db import Transaction
from shared.operations import (
    InquiryAnswer,
    Operation,
    OperationInput,
    OperationTable,
    Parameter,
    Subject,
)

_change = partial(
    Operation[AppointmentFacts],
    kind="update",
    resource_type="Appointment",
    parties=("coordinator", "clinician"),
    interaction="u",
    rows=CHANGE_ROWS,
    refuses=(VisitOfAnother, NotInThisState, TooEarly, CannotMove),
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
    when=acts.may_correct,
    run=lambda ctx, tx, given: use_cases.correct.run(ctx, tx, given.id, given=given.values),
)

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
        _CORRECT,
    ),
)


async def _task(ctx: Context, tx: Transaction, task_id: str) -> Subject[TaskFacts] | None:
    try:
        wanted = UUID(task_id)
    except ValueError:
        return None
    guarantee = await queries.guarantees.visible_to(tx, ctx.caller, wanted)
    task = guarantee or await queries.tasks.visible_to(tx, ctx.caller, wanted)
    return None if task is None else Subject(row=task, facts=task, zone=ctx.clinic.site(task.site).zone)


TASKS = OperationTable[TaskFacts](
    resource_type="Task",
    rows=TASK_ROWS,
    load=_task,
    sentences=texts.REASONS,
    operations=(
        Operation[TaskFacts](
            name="complete",
            kind="update",
            resource_type="Task",
            parties=("coordinator",),
            interaction="u",
            rows=REPLAN_ROWS,
            text="Say that the visits which no longer fit are dealt with; they are not asked about again.",
            parameters=(
                Parameter(name="status", type="code", min=1, text="The new status.", values=("completed",)),
                Parameter(name="statusReason", type="CodeableConcept", min=1, text="Why, in its `text`."),
            ),
            refuses=(TaskEnded, KeptByTheVisit),
            applies=acts.asks_to_replan,
            when=acts.may_complete,
        ),
    ),
)


async def _preview_absence(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    change = fhir.unavailable.read(ctx, given.data)
    visits = await use_cases.change_absence.preview(ctx, tx, change, of=given.data.get("id"))
    rows = [visit.row for visit in visits]
    return InquiryAnswer(body=fhir.affected.render(ctx, visits), rows=rows, asked=())


_of_roster = partial(
    Operation[Any],
    parties=("coordinator",),
    rows=ROSTER_ROWS,
    refuses=(CannotChangeRoster,),
)
_preview = partial(
    _of_roster,
    name="preview",
    level="type",
    text="Say which visits a change would affect, and what would be done with each; nothing is written.",
    is_dry_run=True,
    returns="Parameters",
)
SLOTS = OperationTable[Any](
    resource_type="Slot",
    rows=ROSTER_ROWS,
    load=None,
    sentences=texts.REASONS,
    operations=(
        _of_roster(
            name="create",
            kind="create",
            resource_type="Slot",
            interaction="c",
            text="Say that a person is away, or that the site is closed.",
        ),
        _of_roster(
            name="update",
            kind="update",
            resource_type="Slot",
            interaction="u",
            text="Change an absence or a closed day, or take it back as entered in error.",
        ),
        _preview(resource_type="Slot", interaction="c", takes=("Slot",), run=_preview_absence),
    ),
)


async def _preview_directory(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    visits = await use_cases.change_directory.preview(ctx, tx, given.data)
    rows = [visit.row for visit in visits]
    return InquiryAnswer(body=fhir.affected.render(ctx, visits), rows=rows, asked=())


def _directory_table(kind: str, *, create: str | None, update: str) -> OperationTable[Any]:
    """List what a coordinator changes of one type of the directory."""
    changes = [_of_roster(name="update", kind="update", resource_type=kind, interaction="u", text=update)]
    if create is not None:
        changes.append(
            _of_roster(name="create", kind="create", resource_type=kind, interaction="c", text=create)
        )
    preview = _preview(resource_type=kind, interaction="u", takes=(kind,), run=_preview_directory)
    return OperationTable[Any](
        resource_type=kind,
        rows=ROSTER_ROWS,
        load=None,
        sentences=texts.REASONS,
        operations=(*changes, preview),
    )


ROSTER_TABLES: tuple[OperationTable[Any], ...] = (
    SLOTS,
    _directory_table(
        "Practitioner",
        create="Add a person: name, e-mail (`telecom`) and discipline (`qualification`); no hours yet.",
        update="Change a person's name or address, or say that they have left (`active` false) or are back.",
    ),
    _directory_table(
        "PractitionerRole",
        create=None,
        update="Change a person's discipline or weekly hours, and what the hours are for.",
    ),
    _directory_table(
        "Location",
        create="Add a room: `name`, kind (`type`) and the site (`partOf`).",
        update="Change a room's name or kind, or say that it is gone (`status` inactive) or back.",
    ),
    _directory_table(
        "HealthcareService",
        create=None,
        update="Change what the visits of a programme need (extension `programme-visit`).",
    ),
)
TABLES: tuple[OperationTable[Any], ...] = (APPOINTMENTS, TASKS, *ROSTER_TABLES)
