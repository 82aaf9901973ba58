"""Whom a change of the roster would affect, and what would be done with each visit, as Parameters."""

from collections.abc import Sequence
from typing import Any

from services.scheduling import texts
from services.scheduling.models.roster_changes import AffectedVisit
from shared.context import Context
from shared.fhir.elements import directory_reference, reference
from shared.fhir.instants import to_the_second
from shared.fhir.reasons import concept


def render(ctx: Context, visits: Sequence[AffectedVisit]) -> dict[str, Any]:
    """Write how many visits get a colleague or another room, how many are asked about, and each of them."""
    kept = sum(one.placement is not None for one in visits)
    counts = {"reassigned": kept, "asked": len(visits) - kept}
    return {
        "resourceType": "Parameters",
        "parameter": [
            *({"name": name, "valueInteger": number} for name, number in counts.items()),
            *({"name": "visit", "part": _parts(ctx, one)} for one in visits),
        ],
    }


def _parts(ctx: Context, one: AffectedVisit) -> list[dict[str, Any]]:
    row, placement = one.row, one.placement
    zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
    because = concept(one.conflict.reasons, texts.REASONS, zone=zone, words=words)
    parts: list[dict[str, Any]] = [
        {"name": "appointment", "valueReference": reference("Appointment", row.id)},
        {"name": "start", "valueInstant": to_the_second(one.conflict.starts_at)},
        {"name": "because", "valueCodeableConcept": because},
        {"name": "outcome", "valueCode": "asked" if placement is None else "reassigned"},
    ]
    if placement is None:
        return parts
    named = [("practitioner", f"Practitioner/{placement.person}")]
    named += [] if placement.room is None else [("location", f"Location/{placement.room}")]
    return [
        *parts,
        *({"name": name, "valueReference": directory_reference(ctx.clinic, id)} for name, id in named),
    ]
