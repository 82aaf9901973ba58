"""keep the Tasks that ask to tell a patient the day of the first visit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "telling_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), sa.ForeignKey("appointment.id"), nullable=False),
        sa.Column("referral_id", sa.Uuid(), sa.ForeignKey("referral.id"), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_because", JSONB(), nullable=False),
        sa.CheckConstraint("status IN ('requested', 'completed', 'cancelled')", name="status_is_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("last_updated", "referral_id", "patient_id"):
        op.create_index(f"ix_telling_task_{name}", "telling_task", [name])
    op.create_index(
        "one_open_telling_task_per_visit",
        "telling_task",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "telling_task_open",
        "telling_task",
        ["site", "due_at", "opened_at", "id"],
        postgresql_where=sa.text("status = 'requested'"),
    )
