"""What people do with the times at which somebody is away or a site is closed."""

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
        _preview(resource_type="Slot", interaction="c", takes=("Slot",), run=_preview_absence),
    ),
)
