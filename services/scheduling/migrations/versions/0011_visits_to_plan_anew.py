"""keep the Tasks that name the visits which no longer fit hours, absences, rooms or closed days."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "replan_task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("visits", JSONB(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_because", JSONB(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('requested', 'completed')", name="status_is_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_replan_task_last_updated", "replan_task", ["last_updated"])
    op.create_index("ix_replan_task_site", "replan_task", ["site"])
    op.create_index(
        "one_open_replan_task_per_site",
        "replan_task",
        ["site"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
