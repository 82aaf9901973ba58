"""keep what was said last of a patient: for who has died nothing is booked any more."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "known_patient",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("event_version", sa.Integer(), nullable=False),
        sa.Column("is_deceased", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
