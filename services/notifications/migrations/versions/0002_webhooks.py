"""Webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "ended_receiver",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("notification", sa.Column("focus", sa.String(), nullable=True))
    op.create_index(
        "notification_by_receiver",
        "notification",
        ["recipient", "id"],
        unique=False,
        postgresql_where=sa.text("channel = 'webhook' AND status IN ('preparation', 'in-progress')"),
    )
