"""The value of an event: a FHIR R4B message Bundle, built around resources whose bytes stay as they are.

Invariants:
- The first entry is the MessageHeader, the second the focus, then what is carried, in the order given.
- Resources given as bytes are not decoded and keep every byte.
- Every entry has its own fullUrl under one base, that of the header too, so that relative references resolve
  inside the message.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from shared.fhir.codes import EVENT_SYSTEM, LUMBAR

# In bytes. The border takes 1 MB, and an event carries a few of what came in there; no consumer takes more.
LARGEST_VALUE = 4_000_000

Resource = Mapping[str, Any] | bytes

_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct):
    """What a message needs to know of a resource."""

    type: str = msgspec.field(name="resourceType")
    id: str | None = None

    @property
    def reference(self) -> str:
        """The relative reference, such as `Task/<id>`."""
        return f"{self.type}/{self.id}"


_decode_head = msgspec.json.Decoder(Head).decode


def head(resource: Resource) -> Head:
    """Read type and id of a resource; raises ValueError where a resource says none of either."""
    try:
        found = _decode_head(resource) if isinstance(resource, bytes) else msgspec.convert(resource, Head)
    except msgspec.MsgspecError:
        raise ValueError("an event carries FHIR resources as JSON objects with a resourceType") from None
    if not found.id:
        raise ValueError(f"a {found.type} in an event needs an id")
    return found


def message(
    *, event_id: str, event_type: str, source: str, at: datetime, resources: Sequence[tuple[Head, Resource]]
) -> bytes:
    """Build the message Bundle of an event; the first resource is the focus."""
    focus = resources[0][0]
    header = {
        "resourceType": "MessageHeader",
        "id": event_id,
        "eventCoding": {"system": EVENT_SYSTEM, "code": event_type},
        "source": {"endpoint": source},
        "focus": [{"reference": focus.reference}],
    }
    entries: list[dict[str, Any]] = [{"fullUrl": f"{LUMBAR}/MessageHeader/{event_id}", "resource": header}]
    entries += [
        {"fullUrl": f"{LUMBAR}/{name.reference}", "resource": _as_it_is(resource)}
        for name, resource in resources
    ]
    return _encode(
        {
            "resourceType": "Bundle",
            "id": event_id,
            "type": "message",
            "timestamp": at.isoformat(),
            "entry": entries,
        }
    )


def _as_it_is(resource: Resource) -> object:
    return msgspec.Raw(resource) if isinstance(resource, bytes) else resource
