"""The border: what is read from outside is checked in five steps, and every problem is reported at once.

Steps 1 (limits), 2 (shape), 3 (bindings, reference targets, base invariants) and 5 (across a Bundle) are
here; step 4, what one service requires, is that service's own (`fhir.py`, `rules.py`).
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from shared.errors import Invalid
from shared.fhir.check import limits, offload, one_patient
from shared.fhir.check.limits import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES, MAX_PROBLEMS
from shared.fhir.check.offload import close, warm
from shared.fhir.received import Entry, Received

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_ENTRIES",
    "MAX_PROBLEMS",
    "close",
    "receive",
    "warm",
]


async def receive(body: bytes, *, allowed: Collection[str] | None = None) -> Received:
    """Check a body and give what it holds.

    `allowed` names the resource types that the door takes (None for every known one). Raises TooLarge (over a
    limit), Malformed (no FHIR JSON: bad UTF-8, no JSON, a member twice, NaN, too deep, unknown resourceType)
    or Invalid with every problem and its FHIRPath. Long work is done off the event loop. A transaction or
    message is about one patient.
    """
    body = limits.without_mark(body)
    data, right = await offload.read(body)
    if allowed is not None and data["resourceType"] not in allowed:
        taken = ", ".join(sorted(allowed))
        raise Invalid(f"this door takes: {taken}", expression=data["resourceType"])
    if not right and (problems := await offload.problems_of(body, data)):
        raise Invalid(problems=problems)
    return _received(body, data)


class _Request(msgspec.Struct):
    method: str | None = None
    url: str | None = None
    ifNoneExist: str | None = None


class _Entry(msgspec.Struct):
    fullUrl: str | None = None
    resource: msgspec.Raw = msgspec.Raw()
    request: _Request | None = None


class _Bundle(msgspec.Struct):
    entry: list[_Entry] = []


_BUNDLE = msgspec.json.Decoder(_Bundle)


def _received(body: bytes, data: Mapping[str, Any]) -> Received:
    entries: tuple[Entry, ...] = ()
    if data["resourceType"] == "Bundle":
        cut = _BUNDLE.decode(body).entry
        entries = tuple(_entry(index, piece, data["entry"][index]) for index, piece in enumerate(cut))
    return Received(
        resource_type=data["resourceType"],
        data=data,
        raw=body,
        entries=entries,
        other_people=one_patient.other_people(data) if entries else frozenset(),
    )


def _entry(index: int, cut: _Entry, data: Mapping[str, Any]) -> Entry:
    request = cut.request or _Request()
    resource = _received(bytes(cut.resource), data["resource"]) if "resource" in data else None
    return Entry(
        index=index,
        full_url=cut.fullUrl,
        method=request.method,
        url=request.url,
        if_none_exist=request.ifNoneExist,
        resource=resource,
    )
