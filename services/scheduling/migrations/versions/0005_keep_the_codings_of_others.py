"""keep the codings beside the one that decides, with which a person says why an appointment is cancelled."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    # The default is for processes of the version before, which do not know the column.
    op.execute("ALTER TABLE appointment ADD COLUMN other_codings jsonb NOT NULL DEFAULT '[]'")
