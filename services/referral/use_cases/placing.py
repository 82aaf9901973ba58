"""Where the resources of a sending stand: the row of each, its bytes with our references, and the answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.referral import fhir, queries
from services.referral.models.rows import Enclosure, Patient, Referral
from services.referral.models.submission import Piece, Submission
from services.referral.queries.intake import Placed, Recognised
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import enclosure_of
from services.referral.use_cases.versions import Earlier
from shared.db.models import Resource
from shared.fhir import references

# A piece of the sending, the row that it is, and whether that row is new.
Rows = list[tuple[Piece, Enclosure, bool]]


def rows(
    submission: Submission, referral: Referral, *, known: Recognised, before: Sequence[Enclosure] = ()
) -> Rows:
    """Give each piece its row: what an `ifNoneExist` names, found in the directory or among those before it;
    the one of `before` that it is a newer version of; else a new one.
    """
    placed: dict[tuple[str, str], Enclosure] = {
        name: _placed(name[0], found, referral) for name, found in known.directory.items()
    }
    known_before = Earlier(before, submission.enclosures)
    found_rows: Rows = []
    for piece in submission.enclosures:
        condition = piece.if_none_exist
        if condition is not None and (found := placed.get((piece.type, condition))) is not None:
            found_rows.append((piece, found, False))
            continue
        earlier = known_before.take(piece)
        row = enclosure_of(piece, referral) if earlier is None else earlier
        found_rows.append((piece, row, earlier is None))
        if piece.type in queries.intake.DIRECTORY_TYPES:
            placed = dict.fromkeys([(piece.type, token) for token in row.identifiers], row) | placed
    return found_rows


def _placed(resource_type: str, placed: Placed, referral: Referral) -> Enclosure:
    """Stand for a row that is not read: it is only named."""
    return Enclosure(
        id=placed.id,
        version=placed.version,
        type=resource_type,
        referral_id=referral.id,
        patient_id=referral.patient_id,
        requester=referral.requester,
    )


def links(submission: Submission, referral: Referral, placed: Rows) -> dict[str, str]:
    """Name by our ids what the resources of a sending call each other."""
    named = {link: f"{piece.type}/{row.id}" for piece, row, _ in placed for link in piece.links}
    named |= {link: f"ServiceRequest/{referral.id}" for link in submission.request.links}
    if submission.patient is not None:
        named |= dict.fromkeys(submission.patient.links, f"Patient/{referral.patient_id}")
    return named


def body_of(piece: Piece, named: Mapping[str, str]) -> bytes:
    """Write a piece with our references; what is contained in it keeps its own."""
    if piece.index is not None:
        named = {link: target for link, target in named.items() if not link.startswith("#")}
    return references.replaced(piece.raw, named)


def request_body(
    submission: Submission, referral: Referral, named: Mapping[str, str]
) -> tuple[bytes, dict[str, Any]]:
    """Write the ServiceRequest, and what of it is ours: the subject, and what is left contained."""
    overlay = {
        "subject": {"reference": f"Patient/{referral.patient_id}"},
        "status": referral.status,
        "contained": _left_contained(submission),
    }
    return references.replaced(submission.request.raw, named), overlay


def answer(
    submission: Submission,
    referral: Referral,
    placed: Rows,
    *,
    patient: Patient,
    described: Description,
    at: datetime,
) -> list[dict[str, object]]:
    """Say of each entry, in its order, where it stands; of the patient as the sender has described them."""
    rows_of: dict[int | None, tuple[str, Resource, bool]] = {
        submission.request.index: ("ServiceRequest", referral, referral.version == 1)
    }
    if submission.patient is not None and submission.patient.index is not None:
        shown = patient.model_copy(update={"version": described.version})
        rows_of[submission.patient.index] = ("Patient", shown, described.is_first)
    for piece, row, new in placed:
        if piece.index is not None:
            rows_of[piece.index] = (piece.type, row, new)
    wanted = [None] if submission.request.index is None else range(submission.entries)
    return [
        fhir.answers.created(kind, row, at=at if kind == "Patient" else row.last_updated or at, new=new)
        for index in wanted
        if index in rows_of
        for kind, row, new in [rows_of[index]]
    ]


def _left_contained(submission: Submission) -> list[object] | None:
    stated = submission.request.data.get("contained", [])
    left = [
        resource for resource in stated if resource.get("resourceType") not in fhir.submission.ACCEPTED_TYPES
    ]
    return left or None
