"""keep who patients are: as `referral` said last, and on each team as it was booked for."""

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
          id varchar PRIMARY KEY, event_version integer NOT NULL, is_deceased boolean NOT NULL, person jsonb NOT NULL
        )
    """)
    op.execute("ALTER TABLE team ADD COLUMN person jsonb")
