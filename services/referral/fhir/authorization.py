"""The Claim that goes to the insurer, and what an authorization grants, as Parameters for everybody else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.referral.models.grants import Decision, GrantedItem, RequestedItem
from services.referral.models.rows import Claim, ClaimResponse, Referral
from services.referral.states import GRANTS, Authorization
from shared.clinic import Clinic
from shared.fhir.codes import LUMBAR, SESSION_PRODUCT_SYSTEM
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant

CLAIM_IDENTIFIER = f"{LUMBAR}/claim"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_TURN = {Authorization.REQUESTED: "insurer", Authorization.PENDED: "insurer", Authorization.DENIED: "clinic"}


def claim_resource(
    claim: Claim, *, referral: Referral, items: Sequence[RequestedItem], clinic: Clinic
) -> dict[str, Any]:
    """Render the request for authorization."""
    payer = clinic.payer(claim.payer)
    return {
        "resourceType": "Claim",
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


def grant_parameters(
    claim: Claim, *, of: UUID, decision: Decision | None, referral_id: UUID, turn: bool = False
) -> dict[str, Any]:
    """Say what an authorization grants, free of review actions; `of` is the id of what says so."""
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
        parameters += [_grant(item) for item in decision.items if item.units > 0]
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


def _grant(item: GrantedItem) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"name": "product", "valueCode": item.product},
        {"name": "discipline", "valueCode": item.product.removesuffix("-session")},
        {"name": "units", "valueInteger": item.units},
    ]
    if item.start is not None and item.end is not None:
        period = {"start": item.start.isoformat(), "end": item.end.isoformat()}
        parts.append({"name": "period", "valuePeriod": period})
    return {"name": "grant", "part": parts}
