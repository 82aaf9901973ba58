"""Step 5, third part: what a document's Composition refers to is one resource of the document.

R4 documents.html 3.3.1: a reference that names a version means that version of the entry, one without names
the only entry with that id. A resource that the document does not hold at all is not asked for here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir import references
from shared.fhir.check.across import entries_of, references_in

Data = Mapping[str, Any]


def problems(bundle: Data, path: str) -> Iterator[Problem]:
    """Give each reference of a document's Composition that means no entry, or several."""
    entries = entries_of(bundle)
    first = entries[0].get("resource") if entries else None
    if bundle.get("type") != "document" or not isinstance(first, dict):
        return
    held = _held_versions(entries)
    for where, reference in references_in(first, f"{path}.entry[0].resource"):
        parsed = references.parse(reference)
        versions = held.get(f"{parsed.type}/{parsed.id}", [])
        if parsed.version is not None and versions and parsed.version not in versions:
            yield Problem(text="the document does not hold this version", code="invariant", expression=where)
        elif parsed.version is None and len(versions) > 1:
            yield Problem(text="this means several entries", code="invariant", expression=where)


def _held_versions(entries: list[Data]) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for entry in entries:
        resource = entry.get("resource")
        if not isinstance(resource, dict) or "id" not in resource:
            continue
        meta = resource.get("meta")
        version = str(meta.get("versionId", "")) if isinstance(meta, dict) else ""
        held.setdefault(f"{resource.get('resourceType')}/{resource['id']}", []).append(version)
    return held
