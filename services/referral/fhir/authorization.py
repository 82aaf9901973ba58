"""The Claim that goes to the insurer, and what an authorization grants, as Parameters for everybody else."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.referral.models.grants import Decision, GrantedItem, RequestedItem
from services.referral.models.rows import Claim, ClaimResponse, Referral
from services.referral.states import GRANTS, Authorization
from shared.clinic import Clinic
from shared.fhir import people
from shared.fhir.codes import LUMBAR, SESSION_PRODUCT_SYSTEM
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant

CLAIM_IDENTIFIER = f"{LUMBAR}/claim"
MEMBER_EXTENSION = f"{LUMBAR}/StructureDefinition/claim-member"
USED_EXTENSION = f"{LUMBAR}/StructureDefinition/claim-units-used"
_MEMBER = "member"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_TURN = {Authorization.REQUESTED: "insurer", Authorization.PENDED: "insurer", Authorization.DENIED: "clinic"}


def claim_resource(
    claim: Claim,
    *,
    referral: Referral,
    items: Sequence[RequestedItem],
    patient: Mapping[str, Any],
    clinic: Clinic,
) -> dict[str, Any]:
    """Render the request for authorization; of the `patient` it says who the member is and nothing else."""
    payer = clinic.payer(claim.payer)
    return {
        "resourceType": "Claim",
        **member_elements(patient),
        "identifier": [{"system": CLAIM_IDENTIFIER, "value": str(claim.id)}],
        "status": "active",
        "type": {"coding": [{"system": f"{_TERMINOLOGY}/claim-type", "code": "professional"}]},
        "use": "preauthorization",
        "patient": {"reference": f"Patient/{claim.patient_id}"},
        "created": instant(claim.created_at),
        "insurer": directory_reference(clinic, f"Organization/{payer.id}"),
        "provider": directory_reference(clinic, f"Organization/{clinic.id}"),
        "priority": {"coding": [{"system": f"{_TERMINOLOGY}/processpriority", "code": "normal"}]},
        "referral": {"reference": f"ServiceRequest/{referral.id}"},
        "insurance": [
            {"sequence": 1, "focal": True, "coverage": {"reference": f"Coverage/{claim.coverage_id}"}}
        ],
        "item": [_item(item, referral=referral) for item in items],
    }


def member_elements(patient: Mapping[str, Any]) -> dict[str, Any]:
    """Name the member of a Claim: name and birth date as a contained Patient, which an extension refers to.

    `Claim.patient` keeps its reference. Nothing is written where neither is known.
    """
    family, given = people.names(patient)
    name = {"family": family, "given": [given] if given else None}
    stated = {member: value for member, value in name.items() if value}
    member: dict[str, Any] = {"name": [stated]} if stated else {}
    if "birthDate" in patient:
        member["birthDate"] = patient["birthDate"]
    if not member:
        return {}
    return {
        "contained": [{"resourceType": "Patient", "id": _MEMBER, **member}],
        "extension": [{"url": MEMBER_EXTENSION, "valueReference": {"reference": f"#{_MEMBER}"}}],
    }


def items_of(claim: dict[str, Any]) -> tuple[RequestedItem, ...]:
    """Read the items of a Claim that we rendered."""
    return tuple(
        RequestedItem(
            sequence=item["sequence"],
            product=item["productOrService"]["coding"][0]["code"],
            units=int(item["quantity"]["value"]),
            start=datetime.fromisoformat(item["servicedPeriod"]["start"]).date(),
            end=datetime.fromisoformat(item["servicedPeriod"]["end"]).date(),
        )
        for item in claim["item"]
    )


def with_used(claim: Mapping[str, Any], used: Mapping[str, int] | None) -> dict[str, Any]:
    """Give the items of a Claim that we rendered, each with how many units are used, if that is known."""
    items = []
    for item in claim["item"]:
        kept = {name: value for name, value in item.items() if name != "extension"}
        if used is not None:
            units = used.get(item["productOrService"]["coding"][0]["code"], 0)
            kept["extension"] = [{"url": USED_EXTENSION, "valueInteger": units}]
        items.append(kept)
    return {"item": items}


def grant_parameters(
    claim: Claim,
    *,
    of: UUID,
    decision: Decision | None,
    referral_id: UUID,
    turn: bool = False,
    used: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """Say what an authorization grants, free of review actions; `of` is the id of what says so.

    `used` are the units of each product that are used, None where that is not known or not asked.
    """
    status = Authorization(claim.standing)
    parameters: list[dict[str, Any]] = [
        {"name": "status", "valueCode": status},
        {"name": "referral", "valueReference": {"reference": f"ServiceRequest/{referral_id}"}},
        {"name": "payer", "valueString": claim.payer},
    ]
    if turn:
        parameters.append({"name": "turn", "valueCode": _TURN.get(status, "nobody")})
    if decision is not None and decision.reason:
        parameters.append({"name": "reason", "valueString": decision.reason})
    if decision is not None and status in GRANTS:
        parameters += [_grant(item, used=used) for item in decision.items if item.units > 0]
    return {"resourceType": "Parameters", "id": str(of), "parameter": parameters}


def inquiry_return(
    claim: Claim, response: ClaimResponse | None, grant: dict[str, Any], *, base: str
) -> dict[str, Any]:
    """Put a Claim, the current answer to it and where it stands into one Bundle."""
    entries: list[dict[str, Any]] = [
        {"fullUrl": f"{base}/Claim/{claim.id}", "resource": msgspec.Raw(claim.body)}
    ]
    if response is not None:
        address = f"{base}/ClaimResponse/{response.id}"
        entries.append({"fullUrl": address, "resource": msgspec.Raw(response.body)})
    entries.append({"fullUrl": f"urn:uuid:{grant['id']}", "resource": grant})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _item(item: RequestedItem, *, referral: Referral) -> dict[str, Any]:
    return {
        "sequence": item.sequence,
        "productOrService": {"coding": [{"system": SESSION_PRODUCT_SYSTEM, "code": item.product}]},
        "programCode": [{"text": referral.programme}],
        "servicedPeriod": {"start": item.start.isoformat(), "end": item.end.isoformat()},
        "quantity": {"value": item.units},
    }


def _grant(item: GrantedItem, *, used: Mapping[str, int] | None) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "product", "valueCode": item.product},
        {"name": "discipline", "valueCode": item.product.removesuffix("-session")},
        {"name": "units", "valueInteger": item.units},
    ]
    if used is not None:
        units = used.get(item.product, 0)
        parts.append({"name": "used", "valueInteger": units})
        parts.append({"name": "left", "valueInteger": max(0, item.units - units)})
    if item.start is not None and item.end is not None:
        period = {"start": item.start.isoformat(), "end": item.end.isoformat()}
        parts.append({"name": "period", "valuePeriod": period})
    return {"name": "grant", "part": parts}
