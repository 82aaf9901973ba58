"""The resources in a Parameters, each with its own bytes."""

from typing import Any

import msgspec

from services.referral.fhir.reading import tokens
from services.referral.models.submission import Piece


class _Parameter(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _Parameters(msgspec.Struct):
    parameter: list[_Parameter] = []


def resources_in(body: bytes) -> list[bytes]:
    """Cut the resources out of checked Parameters."""
    if not body.strip():
        return []
    found = msgspec.json.decode(body, type=_Parameters).parameter
    return [raw for parameter in found if (raw := bytes(parameter.resource)) != b"null"]


def read(body: bytes) -> list[Piece]:
    """Read what is added to a referral out of checked Parameters."""
    return [_piece(raw) for raw in resources_in(body)]


def _piece(raw: bytes) -> Piece:
    data: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
    stated = data.get("identifier", [])
    identifiers = tokens(stated if isinstance(stated, list) else [stated])
    return Piece(type=str(data.get("resourceType")), data=data, raw=raw, identifiers=identifiers)
