"""What a coordinator changes of the roster: people, hours, rooms, absences, closed days, visits."""

from functools import partial
from typing import Any

from services.scheduling import fhir, texts, use_cases
from services.scheduling.queries.scope import ROSTER_ROWS
from services.scheduling.rules.roster import CannotChangeRoster
from shared.context import Context
from shared.db import Transaction
from shared.operations import InquiryAnswer, Operation, OperationInput, OperationTable


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
        _of_roster(
            name="delete",
            kind="delete",
            resource_type="Slot",
            interaction="d",
            text="Take an absence or a closed day back as entered in error; its history stays.",
        ),
        _preview(resource_type="Slot", interaction="c", takes=("Slot",), run=_preview_absence),
    ),
)


async def _preview_directory(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    visits = await use_cases.change_directory.preview(ctx, tx, given.data)
    rows = [visit.row for visit in visits]
    return InquiryAnswer(body=fhir.affected.render(ctx, visits), rows=rows, asked=())


async def _preview_schedule(ctx: Context, tx: Transaction, given: OperationInput) -> InquiryAnswer:
    visits = await use_cases.change_schedule.preview(ctx, tx, given.data)
    rows = [visit.row for visit in visits]
    return InquiryAnswer(body=fhir.affected.render(ctx, visits), rows=rows, asked=())


SCHEDULES = OperationTable[Any](
    resource_type="Schedule",
    rows=ROSTER_ROWS,
    load=None,
    sentences=texts.REASONS,
    operations=(
        _of_roster(
            name="update",
            kind="update",
            resource_type="Schedule",
            interaction="u",
            text="Say whether (`active`) and when (`planningHorizon`) new visits are booked with a person.",
        ),
        _preview(resource_type="Schedule", interaction="u", takes=("Schedule",), run=_preview_schedule),
    ),
)


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
    SCHEDULES,
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
