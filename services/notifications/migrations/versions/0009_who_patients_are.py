"""keep who patients are, how to reach them and by what they permit it, as `referral` said last."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE known_patient (
          id varchar PRIMARY KEY, event_version integer NOT NULL, person jsonb NOT NULL,
          contact_points jsonb NOT NULL, channel_consents jsonb NOT NULL
        )
    """)
    op.execute("ALTER TABLE known_referral ADD COLUMN person jsonb")
    op.execute("ALTER TABLE known_referral ADD COLUMN contact_points jsonb")
