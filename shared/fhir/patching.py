"""Patches: JSON Patch (RFC 6902), JSON Merge Patch (RFC 7396), FHIRPath Patch (R4 fhirpatch.html).

A FHIRPath Patch is taken for the elements at the top of a resource: `Type.element`, and what `Type` is given.
"""

import copy
from collections.abc import Mapping
from typing import Any

import jsonpatch
import msgspec

from shared.errors import Invalid, Malformed, NotSupported
from shared.fhir.check.schema import shape_of
from shared.fhir.values import value_of

Resource = dict[str, Any]
_DEEPEST = 64


class CannotPatch(Invalid):
    """The patch does not fit the resource as it stands, or is none."""

    code = "processing"


def patched(resource: Mapping[str, Any], patch: bytes) -> bytes:
    """Apply a patch and write the resource as it would be; nothing of it is checked.

    Its form says what kind it is: a list is a JSON Patch, a Parameters resource a FHIRPath Patch, any other
    object a merge patch. Raises Malformed for no JSON, CannotPatch, and NotSupported for another path.
    """
    given = _decoded(patch)
    stands = copy.deepcopy(dict(resource))
    if isinstance(given, list):
        return msgspec.json.encode(_by_json_patch(stands, given))
    if not isinstance(given, dict):
        raise CannotPatch("a patch is a list of operations, a Parameters resource, or what is merged in")
    if given.get("resourceType") == "Parameters":
        return msgspec.json.encode(_by_fhir_patch(stands, given))
    return msgspec.json.encode(_merged(stands, given, deep=0))


def _decoded(patch: bytes) -> Any:
    try:
        return msgspec.json.decode(patch)
    except (msgspec.DecodeError, RecursionError):
        raise Malformed("the patch is no JSON") from None


def _by_json_patch(resource: Resource, operations: list[Any]) -> Resource:
    try:
        found = jsonpatch.apply_patch(resource, operations)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as error:
        raise CannotPatch(f"this JSON Patch does not fit: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise CannotPatch("of this JSON Patch no resource is left")
    return found


def _merged(resource: Any, patch: Mapping[str, Any], *, deep: int) -> Resource:
    if deep > _DEEPEST:
        raise CannotPatch("the patch is too deep")
    merged: Resource = dict(resource) if isinstance(resource, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            merged[name] = _merged(merged.get(name), value, deep=deep + 1)
        else:
            merged[name] = value
    return merged


class _Operation(msgspec.Struct):
    part: list[dict[str, Any]] = []


class _Parameters(msgspec.Struct):
    parameter: list[_Operation] = []


def _by_fhir_patch(resource: Resource, given: Mapping[str, Any]) -> Resource:
    try:
        operations = msgspec.convert(given, type=_Parameters).parameter
    except msgspec.ValidationError:
        raise CannotPatch("a FHIRPath Patch has operations of parts", expression="Parameters") from None
    for index, operation in enumerate(operations):
        where = f"Parameters.parameter[{index}]"
        words = {str(part.get("name")): value_of(part) for part in operation.part}
        kind, path = words.get("type"), str(words.get("path", ""))
        of, _, element = path.partition(".")
        if of != resource["resourceType"] or (element and not element.isalpha()):
            raise NotSupported(f"only {resource['resourceType']}.element is understood", expression=where)
        if kind == "add" and not element:
            _add(resource, str(words.get("name", "")), words.get("value"))
        elif kind == "replace" and element in resource:
            resource[element] = words.get("value")
        elif kind == "delete" and element:
            resource.pop(element, None)
        else:
            raise CannotPatch(f"there is nothing to {kind} at {path}"[:200], expression=where)
    return resource


def _add(resource: Resource, name: str, value: Any) -> None:
    """Add an element: R4B repeats it where it is a list there, or becomes one."""
    member = shape_of(resource["resourceType"]).members.get(name)
    if member is not None and member.many:
        resource[name] = [*resource.get(name, ()), value]
    elif name in resource:
        raise CannotPatch(f"there is a {name} already", expression=f"{resource['resourceType']}.{name}")
    else:
        resource[name] = value
