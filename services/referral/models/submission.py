"""A referral as it came in, whichever of the three doors it came through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from services.referral.models.rows import Referral


class Piece(Struct, frozen=True, kw_only=True):
    """One resource that came with a referral.

    `links` are the texts by which others of the same sending refer to it (fullUrl, `#id`), `index` its place
    in the Bundle, None for a contained resource. `if_none_exist` and `update_where` are the identifier of a
    conditional creation and of a conditional update.
    """

    type: str
    data: Mapping[str, Any]
    raw: bytes
    links: tuple[str, ...] = ()
    index: int | None = None
    identifiers: tuple[str, ...] = ()
    if_none_exist: str | None = None
    update_where: str | None = None

    @property
    def place(self) -> str:
        """Where it stands in what was sent (FHIRPath)."""
        return self.type if self.index is None else f"Bundle.entry[{self.index}].resource"

    def __repr__(self) -> str:
        return f"Piece({self.type})"


class LeftOut(Struct, frozen=True, kw_only=True):
    """An entry of the sender's Bundle that is not kept, or something of it that is not, and why."""

    index: int | None
    type: str
    text: str


class AskedReference(Struct, frozen=True, kw_only=True):
    """A conditional reference that names nothing of the same sending: `token` is its identifier, `index` the
    entry in which it stands first.
    """

    type: str
    text: str
    token: str
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOnBehalf:
    """How a referral came that a coordinator enters (a `shared.fhir.codes.Way`), when, where that is said,
    and whether the patient sends it and no organisation.
    """

    way: str
    arrived_at: datetime | None
    is_self_referral: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The request, the patient (a resource, an identifier of a known one, or an id of ours), and the rest.

    `replaced_by` are the identifiers of the record that replaced the patient's, `binaries` the attachments
    that came as entries of their own, `task` the sender's own Task about the request, which ours answers.
    `requester` is whose it is (an id of clinic.yaml), `entry` says how it came where a coordinator enters it.
    """

    request: Piece
    patient: Piece | None
    patient_identifiers: tuple[str, ...] = ()
    patient_id: UUID | None = None
    replaced_by: tuple[str, ...] = ()
    enclosures: tuple[Piece, ...] = ()
    binaries: tuple[Piece, ...] = ()
    task: Piece | None = None
    left_out: tuple[LeftOut, ...] = ()
    asked_references: tuple[AskedReference, ...] = ()
    entries: int = 1
    requester: str = ""
    entry: EntryOnBehalf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The referral, and whether it is new, was sent before with the same content, or was corrected; what the
    sender is told of each entry, and of what is not kept.
    """

    referral: Referral
    outcome: Literal["new", "same", "corrected"]
    answer: list[dict[str, Any]]
    left_out: Sequence[LeftOut] = ()
