"""keep who patients are: as `referral` said last, and on each referral as it was accepted."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE known_patient ADD COLUMN person jsonb")
    op.execute("ALTER TABLE referral ADD COLUMN person jsonb")
