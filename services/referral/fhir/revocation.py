"""A ServiceRequest that its sender writes as revoked: what of it is new, and the reason that it gives."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Invalid, Problem
from shared.fhir.elements import same
from shared.urls import Urls

REASON = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
WHERE = f"the extension {REASON}, a further note or reasonCode"
# Where the reason stands; `status` says what it is for.
_MAY_DIFFER = frozenset({"status", "extension", "note", "reasonCode"})
# Ours to write, or of no meaning: what a client drops or writes anew when it sends back what it read.
_OF_NO_MEANING = frozenset({"id", "meta", "text", "contained", "implicitRules", "language", "resourceType"})


class OnlyRevocation(Invalid):
    """A ServiceRequest is changed by being sent again; in its place it is only revoked."""

    code = "not-supported"


def is_wanted(stored: Mapping[str, Any], wanted: Mapping[str, Any], *, urls: Urls) -> bool:
    """Tell whether a ServiceRequest is to be revoked, or is as it stands already.

    Raises OnlyRevocation with everything else that would change.
    """
    changed = {
        name
        for name in {*stored, *wanted} - _OF_NO_MEANING
        if not same(stored.get(name), wanted.get(name), urls=urls)
    }
    if not changed:
        return False
    others = changed - _MAY_DIFFER if wanted.get("status") == "revoked" else changed
    if others:
        text = "only status revoked, with its reason, is written here: send the referral again to change it"
        raise OnlyRevocation(
            problems=[
                Problem(text=text, code="not-supported", expression=f"ServiceRequest.{name}")
                for name in sorted(others)
            ]
        )
    return stored.get("status") != "revoked"


def reason(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Read why it is revoked, from what is new in it; empty where it does not say."""
    new_extensions = [one for one in wanted.get("extension", ()) if one not in stored.get("extension", ())]
    stated = [one.get("valueCodeableConcept", {}) for one in new_extensions if one.get("url") == REASON]
    notes = [one for one in wanted.get("note", ()) if one not in stored.get("note", ())]
    codes = [one for one in wanted.get("reasonCode", ()) if one not in stored.get("reasonCode", ())]
    for words in (_words(stated), [str(note.get("text", "")) for note in notes], _words(codes)):
        if said := " ".join(filter(None, words)).strip():
            return said
    return ""


def _words(concepts: list[Mapping[str, Any]]) -> list[str]:
    return [words for concept in concepts for words in _of_concept(concept)][:1]


def _of_concept(concept: Mapping[str, Any]) -> Iterator[str]:
    if text := concept.get("text"):
        yield str(text)
    for coding in concept.get("coding", ()):
        yield str(coding.get("display") or coding.get("code") or "")
