"""keep the Tasks that ask to record a visit, and to call a patient who missed two in a row."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "visit_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), sa.ForeignKey("appointment.id"), nullable=False),
        sa.Column("referral_id", sa.Uuid(), sa.ForeignKey("referral.id"), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_because", JSONB(), nullable=False),
        sa.CheckConstraint("code IN ('record-visit', 'recall')", name="code_is_known"),
        sa.CheckConstraint("status IN ('requested', 'completed', 'cancelled')", name="status_is_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("last_updated", "referral_id", "patient_id"):
        op.create_index(f"ix_visit_task_{name}", "visit_task", [name])
    op.create_index(
        "one_open_recall_per_referral",
        "visit_task",
        ["referral_id"],
        unique=True,
        postgresql_where=sa.text("code = 'recall' AND status = 'requested'"),
    )
    op.create_index(
        "one_open_task_to_record_a_visit",
        "visit_task",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("code = 'record-visit' AND status = 'requested'"),
    )
    op.create_index(
        "visit_task_open",
        "visit_task",
        ["site", "code", "due_at", "opened_at", "id"],
        postgresql_where=sa.text("status = 'requested'"),
    )
