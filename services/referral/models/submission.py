"""A referral as it came in, whichever of the three doors it came through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from msgspec import Struct


class Piece(Struct, frozen=True, kw_only=True):
    """One resource that came with a referral.

    `links` are the texts by which others of the same sending refer to it (fullUrl, `#id`), `index` its place
    in the Bundle, None for a contained resource.
    """

    type: str
    data: Mapping[str, Any]
    raw: bytes
    links: tuple[str, ...] = ()
    index: int | None = None
    identifiers: tuple[str, ...] = ()
    if_none_exist: str | None = None

    def __repr__(self) -> str:
        return f"Piece({self.type})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The request, the patient (a resource, an identifier of a known one, or an id of ours), and the rest."""

    request: Piece
    patient: Piece | None
    patient_identifiers: tuple[str, ...] = ()
    patient_id: UUID | None = None
    enclosures: tuple[Piece, ...] = ()
    entries: int = 1
