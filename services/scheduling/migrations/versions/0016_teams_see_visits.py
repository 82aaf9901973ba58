"""keep who is in the care team of a referral; read again what was published of teams before."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction.

    The inbox knows what was handled, so of what is read again only the teams have an effect.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE referral ADD COLUMN team text[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE referral ALTER COLUMN team DROP DEFAULT")
    op.execute("CREATE INDEX referral_team ON referral USING gin (team)")
    op.execute("UPDATE group_position SET next_offset = 0 WHERE topic LIKE '%lumbar.careteam'")
