"""Attachments: their rows, their bytes piece by piece, and which resources name them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from services.referral.models.attachments import Attachment, AttachmentUse
from services.referral.models.rows import Referral
from shared.db import Database, Transaction

_ADD_PIECE = "INSERT INTO attachment_piece (attachment_id, number, content) VALUES ($1, $2, $3)"
_PIECE = "SELECT content FROM attachment_piece WHERE attachment_id = $1 AND number = $2"
_WHOLE = "SELECT content FROM attachment_piece WHERE attachment_id = $1 ORDER BY number"
# In the order of their ids, so that two who name the same ones wait for each other and no more.
_OF_SENDERS = """
SELECT * FROM attachment WHERE requester = ANY($1::text[]) AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE
"""
_OF_REFERRAL = """
SELECT attachment.* FROM attachment
WHERE id IN (SELECT attachment_id FROM attachment_use JOIN enclosure ON enclosure.id = enclosure_id
             WHERE referral_id = $1)
   OR (attached_at IS NULL AND requester = $2 AND patient_id = $3)
ORDER BY id
"""
_USE = """
INSERT INTO attachment_use (attachment_id, enclosure_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
_UNATTACHED_BYTES = """
SELECT coalesce(sum(size), 0) FROM attachment WHERE requester = $1 AND attached_at IS NULL
"""
_PATIENT_OF_SENDER = "SELECT patient_id FROM referral WHERE requester = $1 AND patient_id = $2 LIMIT 1"
_FORGET = """
DELETE FROM attachment WHERE attached_at IS NULL AND uploaded_at < $1 RETURNING size
"""


async def add_piece(tx: Transaction, attachment_id: UUID, number: int, content: bytes) -> None:
    """Keep so many bytes of an attachment whose row comes later."""
    await tx.run(_ADD_PIECE, attachment_id, number, content)


async def piece(database: Database, attachment_id: UUID, number: int) -> bytes | None:
    """Read one piece by itself, so that a slow reader holds no connection; None where it is gone."""
    found = await database.fetch(_PIECE, attachment_id, number)
    return bytes(found[0]["content"]) if found else None


async def whole(tx: Transaction, attachment_id: UUID) -> bytes:
    """Read all bytes of a small attachment."""
    return b"".join(bytes(row["content"]) for row in await tx.records(_WHOLE, attachment_id))


async def lock_of_senders(
    tx: Transaction, uploaders: Collection[str], ids: Collection[UUID]
) -> dict[UUID, Attachment]:
    """Lock those of these attachments that one of these has uploaded."""
    found = await tx.rows(Attachment, _OF_SENDERS, list(uploaders), list(ids))
    return {row.id: row for row in found}


async def of_referral(tx: Transaction, referral: Referral) -> Sequence[Attachment]:
    """List the attachments that resources of a referral name, and those of its patient that nothing names."""
    whose = (referral.requester, referral.patient_id)
    return await tx.rows(Attachment, _OF_REFERRAL, referral.id, *whose)


async def use(tx: Transaction, uses: Collection[AttachmentUse]) -> None:
    """Note which resources name which attachments, once each."""
    await tx.run_many(_USE, sorted({(one.attachment_id, one.enclosure_id) for one in uses}))


async def unattached_bytes(tx: Transaction, requester: str) -> int:
    """Tell how many bytes a sender has uploaded that no resource names yet."""
    return int(await tx.value(_UNATTACHED_BYTES, requester))


async def patient_of_sender(tx: Transaction, requester: str, patient_id: UUID) -> UUID | None:
    """Find a patient whom this sender has referred."""
    found: UUID | None = await tx.value(_PATIENT_OF_SENDER, requester, patient_id)
    return found


async def forget_unattached(tx: Transaction, *, before: datetime) -> list[int]:
    """Remove what was uploaded before this time and is named by nothing; give the sizes."""
    return [row["size"] for row in await tx.records(_FORGET, before)]
