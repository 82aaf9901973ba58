"""All that is known about a referral, as triage and authorization read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from services.referral import fhir, queries
from services.referral.models import Enclosure, Facts, Patient, Referral
from services.referral.use_cases.recording import as_uuid
from shared.context import Context
from shared.db import Transaction

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The decoded resources of one referral; `known` holds them by what others call them."""

    patient: Resource
    request: Resource
    enclosures: Sequence[tuple[Enclosure, Resource]]
    known: Mapping[str, Resource]


async def gather(tx: Transaction, referral: Referral) -> Gathered:
    """Load everything that came with a referral."""
    rows = await queries.enclosures_of(tx, referral.id)
    enclosures = [(row, _decoded(row.body)) for row in rows]
    known = {f"{row.type}/{row.id}": data for row, data in enclosures}
    for row in await queries.enclosures_by_id(tx, _missing_organizations(enclosures, known)):
        known[f"{row.type}/{row.id}"] = _decoded(row.body)
    patient = await tx.get(Patient, referral.patient_id)
    return Gathered(
        patient=_decoded(patient.body if patient is not None else b"{}"),
        request=_decoded(referral.body),
        enclosures=enclosures,
        known=known,
    )


def facts_of(ctx: Context, gathered: Gathered, *, on: date) -> Facts:
    """Read the coded facts."""
    return fhir.read_facts(
        patient=gathered.patient,
        request=gathered.request,
        enclosures=[data for _, data in gathered.enclosures],
        known=gathered.known,
        clinic=ctx.clinic,
        on=on,
    )


def local_day(ctx: Context, at: datetime, *, site: str) -> date:
    """Give the date that the clock on the site's wall shows."""
    return at.astimezone(ctx.clinic.site(site).zone).date()


def _missing_organizations(
    enclosures: Sequence[tuple[Enclosure, Resource]], known: Mapping[str, Resource]
) -> list[Any]:
    named = [
        reference["reference"]
        for _, data in enclosures
        for reference in [
            *data.get("payor", []),
            *(actor.get("reference", {}) for actor in data.get("provision", {}).get("actor", [])),
        ]
        if isinstance(reference.get("reference"), str)
    ]
    ids = [
        as_uuid(text.removeprefix("Organization/"))
        for text in named
        if text.startswith("Organization/") and text not in known
    ]
    return [one for one in ids if one is not None]


def _decoded(body: bytes) -> Resource:
    return msgspec.json.decode(body, type=dict[str, Any])
