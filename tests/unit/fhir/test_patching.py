"""The three patches, applied to a resource as it stands; what does not fit is refused in words."""

import json
from typing import Any

import pytest

from shared.errors import Malformed, NotSupported, Refusal
from shared.fhir.patching import CannotPatch, patched

STANDS = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "note": [{"text": "first"}],
    "code": {"text": "Back"},
}


def a_patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """Make a FHIRPath Patch."""
    parameters = [
        {
            "name": "operation",
            "part": [
                {"name": name, "valueAnnotation" if isinstance(value, dict) else "valueString": value}
                for name, value in operation.items()
            ],
        }
        for operation in operations
    ]
    return {"resourceType": "Parameters", "parameter": parameters}


@pytest.mark.parametrize(
    "patch",
    [
        [
            {"op": "test", "path": "/status", "value": "active"},
            {"op": "replace", "path": "/status", "value": "revoked"},
            {"op": "add", "path": "/note/-", "value": {"text": "why"}},
            {"op": "remove", "path": "/code"},
        ],
        {"status": "revoked", "note": [{"text": "first"}, {"text": "why"}], "code": None},
        a_patch(
            {"type": "replace", "path": "ServiceRequest.status", "value": "revoked"},
            {"type": "add", "path": "ServiceRequest", "name": "note", "value": {"text": "why"}},
            {"type": "delete", "path": "ServiceRequest.code"},
        ),
    ],
)
def test_each_kind_does_the_same(patch: Any) -> None:
    assert json.loads(patched(STANDS, json.dumps(patch).encode())) == {
        "resourceType": "ServiceRequest",
        "status": "revoked",
        "note": [{"text": "first"}, {"text": "why"}],
    }
    assert STANDS["status"] == "active"


def test_a_merge_goes_into_what_is_there() -> None:
    found = json.loads(patched(STANDS, b'{"code": {"coding": [{"code": "x"}]}, "asNeededBoolean": false}'))
    assert found["code"] == {"text": "Back", "coding": [{"code": "x"}]}
    assert found["asNeededBoolean"] is False


@pytest.mark.parametrize(
    ("patch", "refusal"),
    [
        (b"", Malformed),
        (b"{", Malformed),
        (b"\xff", Malformed),
        (b"[" * 100_000, Malformed),
        (b"1", CannotPatch),
        (b'{"a":' * 500 + b"1" + b"}" * 500, CannotPatch),
        (b'[{"op": "replace", "path": "/nothing/here", "value": 1}]', CannotPatch),
        (b'[{"op": "test", "path": "/status", "value": "draft"}]', CannotPatch),
        (b'[{"op": "fly", "path": "/status"}]', CannotPatch),
        (b'[{"op": "add"}]', CannotPatch),
        (b'[{"op": "add", "path": 1, "value": 1}]', CannotPatch),
        (b"[1]", CannotPatch),
        (b'[{"op": "replace", "path": "", "value": 7}]', CannotPatch),
        (a_patch({"type": "replace", "path": "Patient.status", "value": "x"}), NotSupported),
        (a_patch({"type": "replace", "path": "ServiceRequest.note[0].text", "value": "x"}), NotSupported),
        (a_patch({"type": "replace", "path": "ServiceRequest.priority", "value": "x"}), CannotPatch),
        (a_patch({"type": "add", "path": "ServiceRequest", "name": "code", "value": "x"}), CannotPatch),
        (a_patch({"type": "insert", "path": "ServiceRequest.note", "value": "x"}), CannotPatch),
        (a_patch({}), NotSupported),
        ({"resourceType": "Parameters", "parameter": [1]}, CannotPatch),
        ({"resourceType": "Parameters", "parameter": 1}, CannotPatch),
    ],
)
def test_what_does_not_fit_is_refused(patch: Any, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        patched(STANDS, patch if isinstance(patch, bytes) else json.dumps(patch).encode())
