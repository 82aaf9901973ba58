"""The Task that asks a coordinator to telephone a patient about a visit."""

from typing import Any

from services.scheduling.fhir import tasks
from services.scheduling.models.rows import TellingTask
from shared.context import Context
from shared.fhir.codes import TaskCode
from shared.reasons import Reason


def render(ctx: Context, row: TellingTask) -> dict[str, Any]:
    """Write the row as a Task about the visit; the reason says the day, or how it ended."""
    resource = tasks.about_visit(
        ctx,
        row,
        code=TaskCode.TELL_PATIENT,
        description=_description(row),
        reasons=reasons(ctx, row),
    )
    if row.words is not None:
        resource["note"] = [{"text": row.words}]
    return resource


def _description(row: TellingTask) -> str:
    return (
        "Telephone the patient about a visit"
        if row.because
        else "Tell the patient the day of the first visit"
    )


def reasons(ctx: Context, row: TellingTask) -> list[Reason]:
    """Say why the patient is to be telephoned, or how the Task ended."""
    day = row.starts_at.astimezone(ctx.clinic.site(row.site).zone).date()
    return row.ended_because or row.because or [Reason.of("patient-to-tell", day=day)]
