"""holds, which expire, and the second lane of a clinician."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE appointment
          ADD COLUMN held_until timestamptz,
          ADD COLUMN held_by varchar,
          ADD COLUMN overbooked_because varchar
    """)
    op.execute("ALTER TABLE occupancy ADD COLUMN until timestamptz")
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT status_is_known, ADD CONSTRAINT status_is_known
          CHECK (status IN (
            'proposed', 'pending', 'waitlist', 'booked', 'arrived', 'fulfilled', 'noshow', 'cancelled'
          ))
    """)
    op.execute("""
        ALTER TABLE appointment ADD CONSTRAINT a_hold_says_until_when_and_whose CHECK (
          status <> 'pending' OR (held_until IS NOT NULL AND held_by IS NOT NULL
          AND starts_at IS NOT NULL AND ends_at > starts_at)
        )
    """)
