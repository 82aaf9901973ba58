"""count the sessions that took place; of what was booked before nobody knows how many did."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE held_session (
          appointment_id uuid NOT NULL PRIMARY KEY, referral_id uuid NOT NULL REFERENCES referral (id),
          product varchar NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_held_session_referral_id ON held_session (referral_id)")
    op.execute("ALTER TABLE claim ADD COLUMN units_known boolean NOT NULL DEFAULT true")
    op.execute("""
        UPDATE claim SET units_known = false FROM referral
        WHERE referral.id = claim.referral_id AND referral.sessions <> '[]'
    """)
