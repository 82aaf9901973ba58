"""What is sent in its own form: a report as a PDF, an image, a document. Its bytes stand in pieces."""

from uuid import UUID

from pydantic import AwareDatetime
from sqlmodel import Field, SQLModel

from shared.db.models import Resource


class Attachment(Resource):
    """A Binary of a sender; `body` is the resource without its `data`.

    `sha256` and `sha1` are digests of the bytes. `patient_id` is whom it is about: said at the upload
    (`securityContext`), else by the first resource that names it; `attached_at` is when that was, None while
    none does.
    """

    __tablename__ = "attachment"

    requester: str
    content_type: str
    size: int
    sha256: bytes
    sha1: bytes
    uploaded_at: AwareDatetime
    patient_id: UUID | None = Field(default=None, foreign_key="patient.id", index=True)
    attached_at: AwareDatetime | None = None


class AttachmentPiece(SQLModel):
    """So many bytes of an attachment; the pieces are numbered from 0 and all but the last are full."""

    __tablename__ = "attachment_piece"

    attachment_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    content: bytes


class AttachmentUse(SQLModel):
    """Which resource of a referral names an attachment: who may read that one may read the other."""

    __tablename__ = "attachment_use"

    attachment_id: UUID = Field(primary_key=True, foreign_key="attachment.id")
    enclosure_id: UUID = Field(primary_key=True, foreign_key="enclosure.id", index=True)
