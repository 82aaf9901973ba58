"""What resources of careteam are made of beside the elements of all services: systems, numbers, codes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from shared.context import Context
from shared.fhir.codes import LUMBAR
from shared.fhir.elements import directory_reference

Resource = dict[str, Any]

REFERRAL_SYSTEM = f"{LUMBAR}/referral"
OUTCOME_SYSTEM = f"{LUMBAR}/CodeSystem/outcome"
CASE_STATUS_SYSTEM = f"{LUMBAR}/CodeSystem/case-status"


def practitioner(ctx: Context, person: str) -> dict[str, str]:
    """Refer to somebody of the clinic, with the name."""
    return directory_reference(ctx.clinic, f"Practitioner/{person}")


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
