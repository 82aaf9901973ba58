"""Let the resources of a referral name Binaries of the same sender: checked, and noted for who may read them.

Invariants:
- A Binary belongs to one sender and is about one person: a second person's resource cannot name it.
- What a resource says of a Binary (size, hash, content type) is what its bytes are.
"""

from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.referral import fhir, queries
from services.referral.fhir.binary import NamedBinary
from services.referral.models import content_types
from services.referral.models.attachments import Attachment, AttachmentUse
from services.referral.models.rows import Enclosure, Referral
from services.referral.models.submission import Piece, Submission
from services.referral.use_cases import upload
from shared.context import Context
from shared.db import Transaction
from shared.errors import Invalid, Problem
from shared.fhir import store


class CannotAttach(Invalid):
    """A resource names a Binary that is another sender's or patient's, or not what it is said to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineBinary:
    """A Binary that came as an entry of a Bundle: its piece, its row, and whether that is new."""

    piece: Piece
    row: Attachment
    content: bytes = field(repr=False)
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A resource that may name Binaries: as it came, its row, and where it stands in the body (FHIRPath)."""

    piece: Piece
    row: Enclosure
    where: str


def inline(ctx: Context, submission: Submission, *, before: Sequence[Attachment] = ()) -> list[InlineBinary]:
    """Give each Binary entry of a sending its row: one of `before` with the same bytes, or a new one."""
    known = {row.sha256: row for row in before}
    found = []
    for piece in submission.binaries:
        content = fhir.binary.content_of(piece.data) or b""
        row = _row(ctx, piece, content, requester=submission.requester)
        same = known.get(row.sha256)
        found.append(
            InlineBinary(piece=piece, row=row if same is None else same, content=content, is_new=same is None)
        )
    return found


def fill(ctx: Context, binaries: Sequence[InlineBinary]) -> None:
    """Give new Binaries their bytes as resources."""
    for binary in binaries:
        if binary.is_new:
            body = fhir.binary.resource(content_type=binary.row.content_type, security_context=None)
            store.fill(binary.row, body, at=ctx.at)


async def run(
    ctx: Context,
    tx: Transaction,
    referral: Referral,
    namings: Sequence[Naming],
    *,
    binaries: Sequence[InlineBinary] = (),
) -> None:
    """Check what resources name, keep the Binaries that came with them, and note who names which.

    Raises CannotAttach with every problem. What names nothing costs nothing.
    """
    named = [
        (naming, found)
        for naming in namings
        for found in fhir.binary.named_in(naming.piece, naming.where, urls=ctx.urls)
    ]
    by_link = {link: binary.row for binary in binaries for link in binary.piece.links}
    named = [
        (naming, found)
        for naming, found in named
        if found.id is not None or found.url in by_link or found.is_ours
    ]
    if not named and not binaries:
        return
    known = await _known(ctx, tx, referral, {found.id for _, found in named if found.id is not None})
    meant = [(naming, found, by_link.get(found.url) or known.get(found.id)) for naming, found in named]  # type: ignore[arg-type]
    records = {record.id for record in await queries.patients.records(tx, referral.patient_id)}
    if wrong := [problem for _, found, row in meant for problem in _problems(found, row, records)]:
        raise CannotAttach(problems=wrong)
    await _keep(ctx, tx, referral, binaries)
    await _note(ctx, tx, referral, {row.id: row for *_, row in meant if row is not None})
    await queries.attachments.use(
        tx,
        [
            AttachmentUse(attachment_id=row.id, enclosure_id=naming.row.id)
            for naming, _, row in meant
            if row is not None
        ],
    )


async def _known(
    ctx: Context, tx: Transaction, referral: Referral, ids: Collection[UUID]
) -> Mapping[UUID, Attachment]:
    """Lock what the sender has uploaded, and what the coordinator has who enters its referral."""
    uploaders = [referral.requester]
    if referral.came_by is not None:
        uploaders.append(upload.uploader(ctx))
    return await queries.attachments.lock_of_senders(tx, uploaders, ids) if ids else {}


def _problems(found: NamedBinary, row: Attachment | None, records: Collection[UUID]) -> Iterator[Problem]:
    if row is None:
        if found.is_ours:
            text = "there is no such Binary of yours; POST it to Binary first, in its own content type"
            yield Problem(text=text, code="not-found", expression=found.expression)
        return
    if row.patient_id is not None and row.patient_id not in records:
        text = "this Binary is about another patient than the referred one"
        yield Problem(text=text, code="business-rule", expression=found.expression)
    element = found.expression.removesuffix(".url")
    if found.size is not None and found.size != row.size:
        text = f"the Binary has {row.size} bytes"
        yield Problem(text=text, code="value", expression=f"{element}.size")
    if found.digest is not None and not _is_digest(found.digest, row):
        text = "this is not the SHA-1 of the Binary's bytes, in base64"
        yield Problem(text=text, code="value", expression=f"{element}.hash")
    stated = found.content_type
    if stated is not None and not content_types.is_same(str(stated), row.content_type):
        text = f"the Binary is {row.content_type}"
        yield Problem(text=text, code="value", expression=f"{element}.contentType")


def _is_digest(stated: Any, row: Attachment) -> bool:
    """Hold a hash against the bytes: SHA-1 as R4 has it, or SHA-256, which some write in its place."""
    try:
        return b64decode(str(stated), validate=True) in (row.sha1, row.sha256)
    except ValueError:
        return False


async def _keep(ctx: Context, tx: Transaction, referral: Referral, binaries: Sequence[InlineBinary]) -> None:
    """Write the Binaries that came in the same Bundle: they are about the referral's patient."""
    new = [binary for binary in binaries if binary.is_new]
    for binary in new:
        binary.row.patient_id = referral.patient_id
        for number, start in enumerate(range(0, len(binary.content), upload.PIECE)):
            piece = binary.content[start : start + upload.PIECE]
            await queries.attachments.add_piece(tx, binary.row.id, number, piece)
    await tx.insert(*(binary.row for binary in new))


async def _note(ctx: Context, tx: Transaction, referral: Referral, rows: Mapping[UUID, Attachment]) -> None:
    """Write whom each attachment is about now that something names it."""
    for row in rows.values():
        if row.attached_at is None:
            about = row.patient_id or referral.patient_id
            await tx.update(row, patient_id=about, attached_at=ctx.at, requester=referral.requester)


def _row(ctx: Context, piece: Piece, content: bytes, *, requester: str) -> Attachment:
    sha256, sha1 = upload.digests(content)
    stated = content_types.stated(str(piece.data.get("contentType")))
    return Attachment(
        requester=requester,
        content_type=str(stated),
        size=len(content),
        sha256=sha256,
        sha1=sha1,
        uploaded_at=ctx.at,
    )
