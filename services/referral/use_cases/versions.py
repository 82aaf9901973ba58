"""Which resource of a referral one that is sent again is a newer version of.

Invariants:
- A row is taken once, and none that the clinic made is ever taken.
- Who pays, who may be told and which form was answered tell resources of one type apart: another payer's
  Coverage is no newer version of this one's.
"""

from collections.abc import Sequence
from typing import Any

from services.referral import fhir
from services.referral.fhir.reading import tokens
from services.referral.models.rows import Enclosure
from services.referral.models.submission import Piece
from services.referral.use_cases.referral_file import decoded

_MADE_HERE = frozenset({"Provenance", "Composition"})


class Earlier:
    """The rows that were sent before, as far as nothing has been found to be a newer version of them."""

    def __init__(self, before: Sequence[Enclosure], sent: Sequence[Piece]) -> None:
        self._left = [(row, decoded(row.body)) for row in before if row.type not in _MADE_HERE]
        self._kinds = [_kind(piece.data) for piece in sent]

    def take(self, piece: Piece) -> Enclosure | None:
        """Find the row that a piece repeats or replaces, and take it; None where it is new."""
        of_type = [(row, data) for row, data in self._left if row.type == piece.type]
        kind, said = _kind(piece.data), fhir.content.unreferenced(piece.data)
        alike = [row for row, data in of_type if _kind(data) == kind]
        named = [row for row in alike if set(row.identifiers) & set(piece.identifiers)]
        same = [row for row, data in of_type if fhir.content.unreferenced(data) == said]
        alone = (
            alike if len(alike) == 1 == self._kinds.count(kind) and not _both_named(alike[0], piece) else []
        )
        found = next(iter([*same, *named, *alone]), None)
        self._left = [(row, data) for row, data in self._left if row is not found]
        return found


def _both_named(row: Enclosure, piece: Piece) -> bool:
    return bool(row.identifiers and piece.identifiers)


def _kind(data: Any) -> tuple[str, ...]:
    """Say of what kind a resource is: two of one kind may be versions of each other."""
    kind = str(data.get("resourceType"))
    if kind == "QuestionnaireResponse":
        return kind, str(data.get("questionnaire", "")).partition("|")[0]
    if kind == "Coverage":
        return kind, *(_named(payor) for payor in data.get("payor", []))
    if kind == "Consent":
        provision = data.get("provision", {})
        return kind, *(_named(actor.get("reference", {})) for actor in provision.get("actor", []))
    return (kind,)


def _named(reference: Any) -> str:
    identified = tokens([reference.get("identifier")])
    return identified[0] if identified else str(reference.get("display", ""))
