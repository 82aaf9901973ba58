"""The offer of a freed time to a patient, as a Task: yes is `completed`, no is `rejected`."""

from typing import Any

from services.scheduling.fhir import tasks
from services.scheduling.models.offers import TimeOffer
from shared.context import Context
from shared.fhir.codes import TASK_INPUT_SYSTEM, TaskCode, TaskInput
from shared.fhir.elements import coded, directory_reference
from shared.fhir.instants import to_the_second
from shared.reasons import Reason, Reference


def render(ctx: Context, row: TimeOffer) -> dict[str, Any]:
    """Write the row as a Task about the visit that the patient has, with the time that is offered."""
    task = tasks.about_visit(
        ctx,
        row,
        code=TaskCode.OFFER_TIME,
        description="Take an earlier time that has become free",
        reasons=reasons(row),
        intent="proposal",
    )
    offered = {"start": to_the_second(row.starts_at), "end": to_the_second(row.ends_at)}
    task["input"] = [
        {"type": coded(TASK_INPUT_SYSTEM, TaskInput.OFFERED), "valuePeriod": offered},
        {
            "type": coded(TASK_INPUT_SYSTEM, TaskInput.OFFERED_WITH),
            "valueReference": directory_reference(ctx.clinic, f"Practitioner/{row.practitioner}"),
        },
    ]
    return task


def reasons(row: TimeOffer) -> list[Reason]:
    """Say what is offered instead of what, or how the offer ended."""
    who = Reference(f"Practitioner/{row.practitioner}")
    made = Reason.of(
        "time-offered", when=row.starts_at, practitioner=who, instead=row.had_start, until=row.due_at
    )
    return row.ended_because or [made]
