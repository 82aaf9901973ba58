"""visits that are promised, whose day follows by the plan of an evening."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT status_is_known, ADD CONSTRAINT status_is_known
          CHECK (status IN ('proposed', 'waitlist', 'booked', 'arrived', 'fulfilled', 'noshow', 'cancelled'))
    """)
    op.execute("DROP INDEX one_live_first_per_referral")
    op.execute("""
        CREATE UNIQUE INDEX one_live_first_per_referral ON appointment (referral_id)
        WHERE kind = 'first' AND status IN ('proposed', 'waitlist', 'booked', 'arrived', 'fulfilled')
    """)
    op.execute("""
        CREATE INDEX appointment_promised ON appointment (site, due_at, id) WHERE status = 'proposed'
    """)
