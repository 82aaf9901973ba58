"""keep the times that were freed, and to whom they were offered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "offer_round",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("programme", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("visit_type", sa.String(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("practitioner", sa.String(), nullable=False),
        sa.Column("colleagues", ARRAY(sa.Text()), nullable=False),
        sa.Column("room", sa.String(), nullable=True),
        sa.Column("equipment", ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("freed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("waited_for_plan", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'taken', 'filled', 'left')", name="status_is_known"),
        sa.CheckConstraint("ends_at > starts_at", name="takes_some_time"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("offer_round_of_site", "offer_round", ["site", "starts_at"])
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("round_id", sa.Uuid(), sa.ForeignKey("offer_round.id"), nullable=False),
        # No foreign keys: their checks would lock visits of others, which wait for this very time.
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("practitioner", sa.String(), nullable=False),
        sa.Column("had_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_because", JSONB(), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'completed', 'rejected', 'cancelled')", name="status_is_known"
        ),
        sa.CheckConstraint("due_at <= starts_at", name="ends_before_its_visit"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name in ("last_updated", "referral_id", "patient_id", "round_id"):
        op.create_index(f"ix_offer_{name}", "offer", [name])
    # Nobody is asked two things at once, and one time is somebody's once.
    op.create_index(
        "one_open_offer_per_patient",
        "offer",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_index(
        "one_yes_per_round",
        "offer",
        ["round_id"],
        unique=True,
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        "offer_open",
        "offer",
        ["site", "due_at", "opened_at", "id"],
        postgresql_where=sa.text("status = 'requested'"),
    )
