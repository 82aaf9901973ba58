"""The tables of this database, with the constraints that make bad states impossible."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from services.referral.models.attachments import Attachment, AttachmentPiece, AttachmentUse
from services.referral.models.rows import (
    Claim,
    ClaimResponse,
    DirectoryEntry,
    Enclosure,
    HeldSession,
    Patient,
    PatientIdentifier,
    PatientRepublication,
    ReceivedMessage,
    Referral,
    SenderIdentifier,
    SourceRecord,
    Task,
)
from services.referral.states import OPEN_TASKS, Authorization, State
from shared.db.models import one_of
from shared.db.tables import add_shared_tables

_IS_OPEN = f"status IN ({', '.join(repr(status) for status in OPEN_TASKS)})"


class Base(SQLModel, registry=registry()):
    """Base of this service's tables, with metadata of its own."""


class PatientTable(Patient, Base, table=True):
    """The table of Patient rows."""

    __table_args__ = (
        CheckConstraint("replaced_by <> id", name="replaced_by_another"),
        Index("patient_replaced_by", "replaced_by", postgresql_where=text("replaced_by IS NOT NULL")),
        Index("patient_found_by", "found_by", postgresql_using="gin"),
        Index("patient_born", text('birth_date COLLATE "C"')),
    )


class PatientRepublicationTable(PatientRepublication, Base, table=True):
    """The table of the one PatientRepublication row."""


class SourceRecordTable(SourceRecord, Base, table=True):
    """The table of SourceRecord rows."""

    __table_args__ = (
        Index("one_record_of_a_source", "patient_id", "requester", unique=True),
        Index("source_record_found_by", "found_by", postgresql_using="gin"),
        Index("source_record_born", text('birth_date COLLATE "C"')),
    )


class PatientIdentifierTable(PatientIdentifier, Base, table=True):
    """The table of PatientIdentifier rows."""


class ReferralTable(Referral, Base, table=True):
    """The table of Referral rows."""

    __table_args__ = (
        one_of("state", State, name="state_known"),
        CheckConstraint("state <> 'merged' OR merged_into IS NOT NULL", name="merged_names_the_first"),
        CheckConstraint("complete_at IS NULL OR complete_at >= sent_at", name="complete_after_sent"),
        Index("referral_identifiers", "identifiers", postgresql_using="gin"),
        Index("referral_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        # A page of a scope, in the order of ids and by what is searched most, is read and not sorted.
        Index("referral_of_requester", "requester", "id"),
        Index("referral_of_site", "site", "id"),
        Index("referral_of_requester_by_status", "requester", "status", "id"),
        Index("referral_of_site_by_status", "site", "status", "id"),
        Index("referral_of_requester_authored", "requester", text("authored_on DESC NULLS LAST")),
        Index("referral_of_site_authored", "site", text("authored_on DESC NULLS LAST")),
        Index("referral_of_site_by_state", "site", "state"),
        Index("referral_sent", "site", "sent_at"),
        Index("referral_team", "team", postgresql_using="gin"),
        Index("referral_reviewers", "reviewers", postgresql_using="gin"),
        # The pages of a worklist: what waits for the sender, of a site and of a requester.
        *(
            Index(
                f"referral_of_{whose}_asked",
                *(whose, "state_since", "id"),
                postgresql_where=text("state = 'information-requested'"),
            )
            for whose in ("site", "requester")
        ),
    )


class SenderIdentifierTable(SenderIdentifier, Base, table=True):
    """The table of SenderIdentifier rows."""


class ReceivedMessageTable(ReceivedMessage, Base, table=True):
    """The table of ReceivedMessage rows."""

    __table_args__ = (Index("message_called", "called", postgresql_using="gin"),)


class EnclosureTable(Enclosure, Base, table=True):
    """The table of Enclosure rows."""

    __table_args__ = (
        Index("enclosure_by_referral", "referral_id", "type"),
        Index("enclosure_identifiers", "identifiers", postgresql_using="gin"),
    )


class DirectoryEntryTable(DirectoryEntry, Base, table=True):
    """The table of DirectoryEntry rows."""


class TaskTable(Task, Base, table=True):
    """The table of Task rows."""

    __table_args__ = (
        Index(
            "one_process_task_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text("code = 'process-request'"),
        ),
        Index(
            "one_open_task_of_a_kind",
            "referral_id",
            "code",
            unique=True,
            postgresql_where=text(_IS_OPEN),
        ),
        Index("task_by_owner", "owner", "status"),
        # The pages of a worklist: the open Tasks of a kind, of a site, a requester and an owner.
        *(
            Index(
                f"task_of_{whose}_open",
                *(whose, "code", "due_at", "authored_on", "id"),
                postgresql_where=text(f"{_IS_OPEN} AND code <> 'process-request'"),
            )
            for whose in ("site", "requester", "owner")
        ),
    )


class ClaimTable(Claim, Base, table=True):
    """The table of Claim rows."""

    __table_args__ = (
        one_of("standing", Authorization, name="standing_known"),
        Index(
            "one_live_claim_per_referral",
            "referral_id",
            unique=True,
            postgresql_where=text("standing NOT IN ('denied', 'cancelled')"),
        ),
        Index("claim_members", "members", postgresql_using="gin"),
    )


class HeldSessionTable(HeldSession, Base, table=True):
    """The table of HeldSession rows."""


class ClaimResponseTable(ClaimResponse, Base, table=True):
    """The table of ClaimResponse rows."""

    __table_args__ = (
        Index("one_current_response", "claim_id", unique=True, postgresql_where=text("current")),
    )


class AttachmentTable(Attachment, Base, table=True):
    """The table of Attachment rows."""

    __table_args__ = (
        Index("attachment_unattached", "requester", postgresql_where=text("attached_at IS NULL")),
        CheckConstraint("attached_at IS NULL OR patient_id IS NOT NULL", name="attached_is_about_somebody"),
    )


class AttachmentPieceTable(AttachmentPiece, Base, table=True):
    """The table of AttachmentPiece rows: they come before the row of their attachment, which is their sum."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["attachment_id"],
            ["attachment.id"],
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
            name="attachment_piece_attachment_id_fkey",
        ),
    )


class AttachmentUseTable(AttachmentUse, Base, table=True):
    """The table of AttachmentUse rows."""


add_shared_tables(Base.metadata)
