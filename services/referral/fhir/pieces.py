"""The resources of a sending, each with its own bytes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.referral.fhir.reading import tokens
from services.referral.models.submission import Piece


class _Parameter(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"null")


class _Parameters(msgspec.Struct):
    parameter: list[_Parameter] = []


class _Containing(msgspec.Struct):
    contained: list[msgspec.Raw] = []


def resources_in(body: bytes) -> list[bytes]:
    """Cut the resources out of checked Parameters."""
    if not body.strip():
        return []
    found = msgspec.json.decode(body, type=_Parameters).parameter
    return [raw for parameter in found if (raw := bytes(parameter.resource)) != b"null"]


def read(body: bytes) -> list[Piece]:
    """Read what is added to a referral out of checked Parameters."""
    return [piece_of(_decode(raw), raw) for raw in resources_in(body)]


def contained(raw: bytes) -> list[Piece]:
    """Cut the contained resources out of a resource's own bytes."""
    parts = [bytes(part) for part in msgspec.json.decode(raw, type=_Containing).contained]
    return [piece_of(data := _decode(part), part, links=(f"#{data.get('id')}",)) for part in parts]


def piece_of(
    data: Mapping[str, Any],
    raw: bytes,
    *,
    links: tuple[str, ...] = (),
    index: int | None = None,
    if_none_exist: str | None = None,
    update_where: str | None = None,
) -> Piece:
    """Take a resource as a piece of a referral, with its identifiers as tokens."""
    stated = data.get("identifier", [])
    return Piece(
        type=str(data.get("resourceType")),
        data=data,
        raw=raw,
        links=links,
        index=index,
        identifiers=tokens(stated if isinstance(stated, list) else [stated]),
        if_none_exist=if_none_exist,
        update_where=update_where,
    )


def _decode(raw: bytes) -> dict[str, Any]:
    return msgspec.json.decode(raw, type=dict[str, Any])
