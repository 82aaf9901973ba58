"""The Tasks that ask to record a visit, and to call a patient who missed two visits in a row."""

from collections.abc import Mapping
from typing import Any

from services.scheduling.fhir import tasks
from services.scheduling.models.rows import VisitTask
from shared.context import Context
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_DESCRIPTIONS = {
    TaskCode.RECORD_VISIT: "Record what became of the visit",
    TaskCode.RECALL: "Telephone the patient, who missed two visits in a row",
}


def render(ctx: Context, row: VisitTask) -> dict[str, Any]:
    """Write the row as a Task about the visit; the reason says why it was opened, or how it ended."""
    description = _DESCRIPTIONS[TaskCode(row.code)]
    return tasks.about_visit(
        ctx, row, code=row.code, description=description, reasons=reasons(row), owner=row.owner
    )


def reasons(row: VisitTask) -> list[Reason]:
    """Say what is asked, or how the Task ended."""
    if row.ended_because:
        return row.ended_because
    if row.code == TaskCode.RECALL:
        return [Reason.of("missed-twice", when=row.starts_at)]
    return [Reason.of("visit-unrecorded", when=row.starts_at)]


def completion(row: VisitTask, sent: Mapping[str, Any]) -> str | None:
    """Read what came of a call; None where nothing shall change. Raises Invalid."""
    ask = "completing this Task says what came of the call, in words"
    return tasks.completion_with_words(row, sent, ask=ask)
