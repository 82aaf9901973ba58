"""keep what was answered to each message, so that the same message gets the same answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "received_message",
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("called", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"]),
        sa.PrimaryKeyConstraint("requester", "key"),
    )
    op.create_index("ix_received_message_referral_id", "received_message", ["referral_id"])
    op.create_index("message_called", "received_message", ["called"], postgresql_using="gin")
