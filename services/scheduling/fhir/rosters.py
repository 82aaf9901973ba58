"""The roster of a site for the other services: a Basic that holds it as clinic.yaml has it."""

from typing import Any

import msgspec

from shared.context import Context
from shared.fhir.codes import ROSTER_EXTENSION, ROSTER_SYSTEM
from shared.fhir.elements import coded, directory_reference
from shared.fhir.instants import instant
from shared.roster.rows import RosterRow


def render(ctx: Context, row: RosterRow) -> dict[str, Any]:
    """Write a roster; it has the addresses of colleagues and no reason of an absence."""
    return {
        "resourceType": "Basic",
        "id": row.site,
        "meta": {"versionId": str(row.revision), "lastUpdated": instant(row.changed_at)},
        "extension": [{"url": ROSTER_EXTENSION, "valueString": msgspec.json.encode(row.document).decode()}],
        "code": coded(ROSTER_SYSTEM, "site-roster"),
        "subject": directory_reference(ctx.clinic, f"Location/{row.site}"),
    }
