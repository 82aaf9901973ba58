"""Elements that every resource of careteam is made of: instants, codings, references, numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shared.fhir.codes import LUMBAR

Resource = dict[str, Any]

REFERRAL_SYSTEM = f"{LUMBAR}/referral"
OUTCOME_SYSTEM = f"{LUMBAR}/CodeSystem/outcome"
CASE_STATUS_SYSTEM = f"{LUMBAR}/CodeSystem/case-status"


def concept(system: str, code: str, *, text: str | None = None) -> Resource:
    """Write a CodeableConcept of one coding."""
    written: Resource = {"coding": [{"system": system, "code": code}]}
    return written if text is None else written | {"text": text}


def reference(resource_type: str, resource_id: object) -> Resource:
    """Refer to a resource of ours, or to a person of the clinic."""
    return {"reference": f"{resource_type}/{resource_id}"}


def referral_reference(resource_type: str, resource_id: str, *, base_url: str) -> Resource:
    """Refer to a resource that the referral service owns, by its address there."""
    return {"reference": f"{base_url}/referral/fhir/{resource_type}/{resource_id}"}


def number(value: Decimal) -> msgspec.Raw:
    """Write a decimal as the JSON number that it is, without a detour by float."""
    return msgspec.Raw(f"{value.normalize():f}".encode())


def codes(concept_element: Mapping[str, Any] | None, *, system: str) -> list[str]:
    """Read the codes of one system in a CodeableConcept."""
    codings = (concept_element or {}).get("coding", [])
    return [coding["code"] for coding in codings if coding.get("system") == system and "code" in coding]


def decoded(body: bytes) -> Resource:
    """Decode a stored resource."""
    return msgspec.json.decode(body, type=dict[str, Any])
