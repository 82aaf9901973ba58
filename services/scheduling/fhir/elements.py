"""Small FHIR elements that several resources of scheduling are made of."""

from typing import Any

from shared.context import Context


def coded(system: str, code: str, *, text: str | None = None) -> dict[str, Any]:
    """Write a CodeableConcept with one coding."""
    concept: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return concept if text is None else concept | {"text": text}


def of_referral(ctx: Context, resource_type: str, resource_id: object) -> dict[str, str]:
    """Refer to a resource that the referral service answers for."""
    return {"reference": f"{ctx.urls.fhir_of('referral')}/{resource_type}/{resource_id}"}


def own(resource_type: str, resource_id: object) -> dict[str, str]:
    """Refer to a resource of ours, or to one that clinic.yaml names."""
    return {"reference": f"{resource_type}/{resource_id}"}
