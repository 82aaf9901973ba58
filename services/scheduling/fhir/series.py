"""A session series as a FHIR List that names each of its appointments."""

from collections.abc import Iterable
from typing import Any

from services.scheduling import texts
from services.scheduling.models.rows import Appointment, Series
from services.scheduling.states import SeriesStatus
from shared.context import Context
from shared.fhir.codes import LUMBAR
from shared.fhir.elements import reference, referral_reference
from shared.fhir.reasons import concept, note


def render(ctx: Context, row: Series, *, sessions: Iterable[Appointment]) -> dict[str, Any]:
    """Write the row as a List; it is `retired` when no session of it is still to come."""
    over = row.status in (SeriesStatus.SUSPENDED, SeriesStatus.COMPLETED)
    entries = [{"item": reference("Appointment", session.id)} for session in sessions]
    resource: dict[str, Any] = {
        "resourceType": "List",
        "id": str(row.id),
        "identifier": [{"system": f"{LUMBAR}/referral", "value": str(row.referral_id)}],
        "status": "retired" if over else "current",
        "mode": "snapshot",
        "title": f"Session series: {row.status}",
        "code": {"text": "session-series"},
        "subject": referral_reference(ctx, "Patient", row.patient_id),
    }
    zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
    if entries:
        resource["entry"] = entries
    else:
        resource["emptyReason"] = concept(row.reasons, texts.REASONS, zone=zone, words=words)
    if row.reasons:
        resource["note"] = note(row.reasons, texts.REASONS, zone=zone, words=words)
    return resource
