"""The Task that names the visits which no longer fit, for a site's coordinator; it names no patient."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.scheduling import texts
from services.scheduling.fhir import tasks
from services.scheduling.fhir.calendar import named
from services.scheduling.models.conflicts import VisitConflict
from services.scheduling.models.replanning import VisitToReplan
from services.scheduling.models.rows import ReplanTask
from shared.clinic import Site
from shared.context import Context
from shared.fhir.codes import TASK_CODE_SYSTEM, TASK_INPUT_SYSTEM, TaskCode, TaskInput
from shared.fhir.elements import coded, directory_reference, reference
from shared.fhir.instants import to_the_second
from shared.fhir.people import listed
from shared.fhir.reasons import REASON_EXTENSION, concept
from shared.reasons import Reason


def render(ctx: Context, row: ReplanTask) -> dict[str, Any]:
    """Write the row as a Task: an input for each visit, with why it does not fit."""
    site = ctx.clinic.site(row.site)
    why = row.ended_because or all_reasons(row)
    return {
        "resourceType": "Task",
        "id": str(row.id),
        "status": row.status,
        "intent": "order",
        "code": coded(TASK_CODE_SYSTEM, TaskCode.REPLAN_VISITS),
        "description": "Visits no longer fit: plan them anew or call them off",
        "authoredOn": to_the_second(row.opened_at),
        "lastModified": to_the_second(ctx.at),
        "requester": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "owner": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "statusReason": _told(ctx, row, why),
        "input": [
            {"type": coded(TASK_INPUT_SYSTEM, TaskInput.SITE), "valueString": site.id},
            *(_input(ctx, row, conflict) for conflict in row.visits),
        ],
    }


def completion(row: ReplanTask, sent: Mapping[str, Any]) -> str | None:
    """Read why a coordinator completes a Task; None where nothing shall change. Raises Invalid."""
    return tasks.completion_with_words(row, sent, ask="completing this Task by hand says why, in words")


def _input(ctx: Context, row: ReplanTask, conflict: VisitConflict) -> dict[str, Any]:
    stated = {"url": REASON_EXTENSION, "valueCodeableConcept": _told(ctx, row, conflict.reasons)}
    return {
        "extension": [stated],
        "type": coded(TASK_INPUT_SYSTEM, TaskInput.VISIT),
        "valueReference": reference("Appointment", conflict.appointment),
    }


def _told(ctx: Context, row: ReplanTask, reasons: Sequence[Reason]) -> dict[str, Any]:
    zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
    return concept(reasons, texts.REASONS, zone=zone, words=words)


def describe(ctx: Context, visit: VisitToReplan, *, site: Site) -> dict[str, Any]:
    """Write a visit as a row of the list of those to be planned anew, with the call that gives it a time."""
    row, words = visit.row, texts.words_of(ctx.clinic)
    return {
        "id": str(row.id),
        "kind": row.kind,
        "patient": listed(row.patient_id, visit.person),
        "referral": str(row.referral_id),
        "programme": row.programme,
        "start": to_the_second(visit.conflict.starts_at),
        "practitioner": named(ctx.clinic, "Practitioner", row.practitioner),
        "room": named(ctx.clinic, "Location", row.room),
        "reason": concept(visit.conflict.reasons, texts.REASONS, zone=site.zone, words=words),
        "url": f"{ctx.urls.fhir}/Appointment/{row.id}",
        "method": "PUT",
        "if_match": f'W/"{row.version}"',
        "times": [
            {
                "start": to_the_second(time.start),
                "end": to_the_second(time.end),
                "practitioner": named(ctx.clinic, "Practitioner", time.practitioner),
            }
            for time in visit.times
        ],
    }


def all_reasons(row: ReplanTask) -> list[Reason]:
    """List why visits no longer fit, each reason once, in order."""
    return list(dict.fromkeys(reason for conflict in row.visits for reason in conflict.reasons))
