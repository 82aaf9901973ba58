"""Where the resources of a sending stand: the row of each, its bytes with our references, and the answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.referral import fhir, queries
from services.referral.models.rows import Enclosure, Patient, Referral
from services.referral.models.submission import LeftOut, Piece, Submission
from services.referral.queries.intake import Placed, Recognised
from services.referral.use_cases.attach import InlineBinary, Naming
from services.referral.use_cases.describe_patient import Description
from services.referral.use_cases.referral_file import enclosure_of
from services.referral.use_cases.versions import Earlier
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Invalid, Stale
from shared.fhir import references, store

# A piece of the sending, the row that it is, and whether that row is new.
Rows = list[tuple[Piece, Enclosure, bool]]


class SeveralFound(Stale):
    """A condition finds several resources of the sender."""

    code = "multiple-matches"


class AnothersResource(Invalid):
    """A condition finds a resource that came with another patient."""

    code = "business-rule"


def rows(
    submission: Submission, referral: Referral, *, known: Recognised, before: Sequence[Enclosure] = ()
) -> Rows:
    """Give each piece its row: what its condition names, among what the sender has sent or among those before
    it; the one of `before` that it is a newer version of; else a new one.

    Raises SeveralFound and AnothersResource where a condition cannot be met.
    """
    placed = {name: _placed(name[0], found, referral) for name, found in known.placed.items()}
    known_before = Earlier(before, submission.enclosures)
    found_rows: Rows = []
    for piece in submission.enclosures:
        condition = piece.if_none_exist or piece.update_where
        if condition is not None and (found := placed.get((piece.type, condition))) is not None:
            _check_condition(piece, referral, known=known)
            mine = next((row for row in before if row.id == found.id and piece.update_where), None)
            found_rows.append((piece, mine or found, False))
            continue
        earlier = known_before.take(piece)
        row = enclosure_of(piece, referral) if earlier is None else earlier
        found_rows.append((piece, row, earlier is None))
        if piece.type in queries.intake.DIRECTORY_TYPES or condition is not None:
            placed = dict.fromkeys([(piece.type, token) for token in row.identifiers], row) | placed
    return found_rows


def _check_condition(piece: Piece, referral: Referral, *, known: Recognised) -> None:
    """Hold a condition to one resource of the sender that may stand for what is sent."""
    member = "ifNoneExist" if piece.if_none_exist else "url"
    where = f"Bundle.entry[{piece.index}].request.{member}"
    found = known.placed.get((piece.type, str(piece.if_none_exist or piece.update_where)))
    if found is not None and found.several:
        text = f"several {piece.type} resources that you have sent carry this identifier"
        raise SeveralFound(text, expression=where)
    if found is not None and found.patient_id not in (None, referral.patient_id):
        text = f"the {piece.type} with this identifier came with another patient"
        raise AnothersResource(text, expression=where)


async def put(ctx: Context, tx: Transaction, placed: Rows, *, named: Mapping[str, str]) -> None:
    """Give what is put by its identifier, and stands with another referral, the version that is sent."""
    sent = {row.id: piece for piece, row, new in placed if not new and piece.update_where and not row.body}
    for row in await queries.enclosures.by_id(tx, list(sent)):
        piece = sent[row.id]
        body = body_of(piece, named)
        if not fhir.content.same(row.body, body):
            status = piece.data.get("status")
            await store.update(tx, row, body, at=ctx.at, identifiers=list(piece.identifiers), status=status)
        next(stub for _, stub, _ in placed if stub.id == row.id).version = row.version


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


def links(
    submission: Submission,
    referral: Referral,
    placed: Rows,
    *,
    known: Recognised,
    binaries: Sequence[InlineBinary],
) -> dict[str, str]:
    """Name by our ids what the resources of a sending call each other, and what their searches find."""
    named = {link: f"{piece.type}/{row.id}" for piece, row, _ in placed for link in piece.links}
    named |= {link: f"Binary/{binary.row.id}" for binary in binaries for link in binary.piece.links}
    named |= {link: f"ServiceRequest/{referral.id}" for link in submission.request.links}
    if submission.patient is not None:
        named |= dict.fromkeys(submission.patient.links, f"Patient/{referral.patient_id}")
    return named | _searched(submission, referral, known=known)


def _searched(submission: Submission, referral: Referral, *, known: Recognised) -> dict[str, str]:
    """Name by our ids what conditional references of a sending find among what the sender has sent before."""
    named: dict[str, str] = {}
    for asked in submission.asked_references:
        found = known.placed.get((asked.type, asked.token))
        if asked.type == "Patient":
            named[asked.text] = f"Patient/{referral.patient_id}"
        elif found is not None and not found.several:
            named[asked.text] = f"{asked.type}/{found.id}"
    return named


def left_out(submission: Submission, named: Mapping[str, str]) -> list[LeftOut]:
    """List what is not kept, and the conditional references that find nothing: they stay as they are."""
    text = "a search by identifier finds no {} that you have sent; the reference is kept as it is"
    unmet = [asked for asked in submission.asked_references if asked.text not in named]
    return [
        *submission.left_out,
        *(LeftOut(index=one.index, type=one.type, text=text.format(one.type)) for one in unmet),
    ]


def kinds_of(submission: Submission) -> list[str]:
    """Return the type of each entry that is kept or answered, empty where it is left out."""
    pieces = [submission.request, submission.patient, submission.task]
    pieces += [*submission.enclosures, *submission.binaries]
    kinds = {piece.index: piece.type for piece in pieces if piece is not None and piece.index is not None}
    entries = [None] if submission.request.index is None else range(submission.entries)
    return ["ServiceRequest" if index is None else kinds.get(index, "") for index in entries]


def exists_already(submission: Submission, referral: Referral, *, at: datetime) -> list[dict[str, object]]:
    """Say of a transaction whose condition a referral meets that it stands, and that nothing was added."""
    text = "the referral exists already and nothing was added to it: $provide-information adds"
    stands = fhir.answers.created("ServiceRequest", referral, at=referral.last_updated or at, new=False)
    return [
        stands
        if index == submission.request.index
        else fhir.answers.not_kept(LeftOut(index=index, type="", text=text))
        for index in range(submission.entries)
    ]


def namings(placed: Rows) -> list[Naming]:
    """Say where each resource stands that may name a Binary."""
    return [Naming(piece=piece, row=row, where=piece.place) for piece, row, _ in placed]


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
    binaries: Sequence[InlineBinary],
    patient: Patient,
    described: Description,
    task_id: UUID,
    not_kept: Sequence[LeftOut] = (),
    at: datetime,
) -> list[dict[str, object]]:
    """Say of each entry, in its order, where it stands; of the patient as the sender has described them.

    Where our Task answers the sender's, that is where it stands; what is `not_kept` is said by its entry.
    """
    rows_of: dict[int | None, tuple[str, Resource, bool]] = {
        submission.request.index: ("ServiceRequest", referral, referral.version == 1)
    }
    if submission.patient is not None and submission.patient.index is not None:
        shown = patient.model_copy(update={"version": described.version})
        rows_of[submission.patient.index] = ("Patient", shown, described.is_first)
    for piece, row, new in placed:
        if piece.index is not None:
            rows_of[piece.index] = (piece.type, row, new)
    rows_of |= {one.piece.index: (one.piece.type, one.row, one.is_new) for one in binaries}
    said = {
        index: fhir.answers.created(
            kind, row, at=at if kind == "Patient" else row.last_updated or at, new=new
        )
        for index, (kind, row, new) in rows_of.items()
    }
    if submission.task is not None:
        said[submission.task.index] = fhir.answers.answered_by(task_id, at=at, new=referral.version == 1)
    for left in not_kept:
        said[left.index] = {**fhir.answers.not_kept(left), **said.get(left.index, {})}
    wanted = [None] if submission.request.index is None else range(submission.entries)
    return [said[index] for index in wanted if index in said]


def _left_contained(submission: Submission) -> list[object] | None:
    stated = submission.request.data.get("contained", [])
    left = [
        resource for resource in stated if resource.get("resourceType") not in fhir.entries.ACCEPTED_TYPES
    ]
    return left or None
