"""keep into which record a patient's was merged: both are one person, who is in one place at a time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("known_patient", sa.Column("replaced_by", sa.String(), nullable=True))
