"""keep that a patient confirmed a visit, and why a patient is to be telephoned."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE appointment ADD COLUMN confirmed_start timestamptz")
    op.execute(
        "ALTER TABLE telling_task ADD COLUMN because jsonb NOT NULL DEFAULT '[]', ADD COLUMN words varchar"
    )
