"""A correction as an extension of the Appointment's version that it made."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.scheduling import texts
from services.scheduling.models.correction import Correction
from services.scheduling.models.rows import Appointment
from shared.context import Context
from shared.fhir.codes import CORRECTION_EXTENSION
from shared.fhir.reasons import concept
from shared.reasons import Reason


def extension(ctx: Context, row: Appointment, correction: Correction) -> dict[str, Any]:
    """Write what was recorded, why it was wrong, what of it is taken back and what remains."""
    return {"url": CORRECTION_EXTENSION, "extension": list(_parts(ctx, row, correction))}


def _parts(ctx: Context, row: Appointment, correction: Correction) -> Iterator[dict[str, Any]]:
    yield {"url": "was", "valueCode": correction.was}
    told: tuple[tuple[str, Sequence[Reason]], ...] = (
        ("reason", correction.because),
        ("taken-back", correction.taken_back),
        ("remains", correction.remains),
    )
    zone, words = ctx.clinic.site(row.site).zone, texts.words_of(ctx.clinic)
    for url, reasons in told:
        if reasons:
            stated = concept(reasons, texts.REASONS, zone=zone, words=words)
            yield {"url": url, "valueCodeableConcept": stated}
