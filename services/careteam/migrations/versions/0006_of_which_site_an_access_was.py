"""say of which site an access was, and about which patients, where it was about several."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("audit_event", sa.Column("site", sa.Text(), nullable=True))
    op.create_table(
        "audit_patient",
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "event_id"),
    )
