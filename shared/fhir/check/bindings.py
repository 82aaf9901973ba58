"""Step 3, first part: required bindings and the targets of references, from the model's own metadata."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir import references
from shared.fhir.check.schema import Member, is_resource_type
from shared.fhir.references import Form

_SHOWN = 12
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S")


def wrong_code(member: Member, value: str) -> str | None:
    """Say which codes are allowed where the element has a required binding and this is none of them."""
    if member.codes is None or value in member.codes:
        return None
    allowed = sorted(member.codes)
    return "the code is none of: " + ", ".join(allowed[:_SHOWN]) + (" ..." if len(allowed) > _SHOWN else "")


def wrong_reference(
    data: Mapping[str, Any], path: str, *, member: Member | None, resource: Mapping[str, Any]
) -> Iterator[Problem]:
    """Hold a Reference against its allowed targets, its own `type` and the contained resources."""
    if not data:
        return
    if not data.keys() & {"reference", "identifier", "display", "extension", "_reference", "_display"}:
        yield Problem(text="a reference refers to something", code="required", expression=path)
        return
    reference = references.parse(data)
    target = reference.type
    if reference.form is Form.FRAGMENT:
        target = _contained_type(reference.id or "", resource)
        if target is None:
            yield Problem(text="no contained resource has this id (ref-1)", code="invariant", expression=path)
    elif reference.form in (Form.RELATIVE, Form.ABSOLUTE) and not is_resource_type(target):
        yield Problem(text="a reference names a resource type of FHIR", code="value", expression=path)
        return
    elif reference.form is Form.OTHER and reference.text and not _SCHEME.match(reference.text):
        yield Problem(text="a reference is Type/id, Type?query, #id or a URL", code="value", expression=path)
    if target is not None and member is not None and member.targets and target not in member.targets:
        allowed = ", ".join(sorted(member.targets)[:_SHOWN])
        yield Problem(text=f"this may refer only to: {allowed}", code="value", expression=path)
    stated = data.get("type")
    if is_resource_type(stated) and target is not None and stated != target:
        yield Problem(text="type and reference name different types", code="invariant", expression=path)


def _contained_type(local: str, resource: Mapping[str, Any]) -> str | None:
    """Give the type of a contained resource; `#` alone is the container itself."""
    if not local:
        return str(resource.get("resourceType"))
    contained = resource.get("contained")
    for candidate in contained if isinstance(contained, list) else ():
        if isinstance(candidate, dict) and candidate.get("id") == local:
            name = candidate.get("resourceType")
            return name if isinstance(name, str) else None
    return None
