"""keep by which way a referral came that a coordinator entered, and whether the patient referred themselves."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE referral ADD COLUMN came_by varchar")
    op.execute("ALTER TABLE referral ADD COLUMN self_referred boolean NOT NULL DEFAULT false")
