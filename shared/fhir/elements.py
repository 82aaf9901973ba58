"""Elements that resources of several services are made of, and when two of them are the same."""

from typing import Any

from shared.clinic import Clinic
from shared.context import Context
from shared.fhir.references import is_ours, parse
from shared.urls import Urls


def coded(system: str, code: str, *, text: str | None = None) -> dict[str, Any]:
    """Write a CodeableConcept of one coding."""
    concept: dict[str, Any] = {"coding": [{"system": system, "code": code}]}
    return concept if text is None else concept | {"text": text}


def reference(resource_type: str, resource_id: object) -> dict[str, str]:
    """Refer to a resource of the same service, or to one that clinic.yaml names."""
    return {"reference": f"{resource_type}/{resource_id}"}


def directory_reference(clinic: Clinic, named: str) -> dict[str, str]:
    """Refer to what clinic.yaml names, such as `Practitioner/physiatrist`, with its name for who reads it.

    What it does not name, such as one of our own devices, comes without.
    """
    resource_type, _, id = named.partition("/")
    name = clinic.name_of(resource_type, id)
    return {"reference": named} if name is None else {"reference": named, "display": name}


def referral_reference(ctx: Context, resource_type: str, resource_id: object) -> dict[str, str]:
    """Refer to a resource that the referral service answers for."""
    return {"reference": f"{ctx.urls.fhir_of('referral')}/{resource_type}/{resource_id}"}


def same(stored: Any, sent: Any, *, urls: Urls) -> bool:
    """Compare elements; a reference is the same in its relative, its absolute and its versioned form.

    One to another server is the same as it was written only.
    """
    if isinstance(stored, dict) and isinstance(sent, dict) and "reference" in stored:
        ours, theirs = parse(stored), parse(sent)
        fits = is_ours(theirs, urls) or theirs.base == ours.base
        return fits and (ours.type, ours.id) == (theirs.type, theirs.id)
    if isinstance(stored, dict) and isinstance(sent, dict):
        if stored.keys() != sent.keys():
            return False
        return all(same(stored[name], sent[name], urls=urls) for name in stored)
    if isinstance(stored, list) and isinstance(sent, list):
        pairs = zip(stored, sent, strict=False)
        return len(stored) == len(sent) and all(same(before, now, urls=urls) for before, now in pairs)
    return bool(stored == sent)
