"""What a sending says, whatever its envelope: equal for the same content, by whichever door it came.

Left out are ids, `meta`, fullUrls, the order of entries, and what the sender calls the referral; a reference
to a resource of the same sending counts as that resource.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from services.referral.fhir.entries import ACCEPTED_TYPES
from services.referral.models.submission import Piece, Submission
from shared.fhir import references

_OURS_OR_ENVELOPE = ("id", "meta")


def digest(submission: Submission) -> str:
    """Return the SHA-256 of what is said, in hexadecimal digits."""
    patient = () if submission.patient is None else (submission.patient,)
    pieces = (submission.request, *patient, *submission.enclosures, *submission.binaries)
    said = sorted(_said(piece, labels=_labels(pieces)) for piece in pieces)
    return hashlib.sha256(b"\n".join(said)).hexdigest()


def same(body: bytes, other: bytes) -> bool:
    """Tell whether two bodies of a resource say the same, but for its id and meta."""
    return _plain(body) == _plain(other)


def unreferenced(data: Mapping[str, Any]) -> bytes:
    """Write what a resource says but for its id, its meta and whom it refers to."""
    said = {name: value for name, value in data.items() if name not in _OURS_OR_ENVELOPE}
    return msgspec.json.encode(_without_references(said), order="sorted")


def _without_references(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            name: _without_references(value)
            for name, value in node.items()
            if name != "reference" or not isinstance(value, str)
        }
    return [_without_references(part) for part in node] if isinstance(node, list) else node


def _labels(pieces: Sequence[Piece]) -> dict[str, str]:
    """Give each link a name that does not depend on how the sender wrote it, nor on the order of entries."""
    nameless = {link: "urn:x" for piece in pieces for link in piece.links}
    ranked = sorted(pieces, key=lambda piece: (piece.type, _said(piece, labels=nameless)))
    return {link: f"urn:x:{rank}" for rank, piece in enumerate(ranked) for link in piece.links}


def _said(piece: Piece, *, labels: Mapping[str, str]) -> bytes:
    data = _plain(references.replaced(piece.raw, labels))
    if piece.type == "ServiceRequest":
        data.pop("identifier", None)
        left = [part for part in data.pop("contained", ()) if part.get("resourceType") not in ACCEPTED_TYPES]
        data["contained"] = left
    return msgspec.json.encode(data, order="sorted")


def _plain(body: bytes) -> dict[str, Any]:
    data = msgspec.json.decode(body, type=dict[str, Any])
    for name in _OURS_OR_ENVELOPE:
        data.pop(name, None)
    return data
