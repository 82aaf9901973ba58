"""visits of every kind that a programme names, with several clinicians and equipment."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE appointment
          ADD COLUMN visit_type varchar,
          ADD COLUMN colleagues text[] NOT NULL DEFAULT '{}',
          ADD COLUMN equipment text[] NOT NULL DEFAULT '{}'
    """)
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT kind_is_known, ADD CONSTRAINT kind_is_known CHECK (kind IN (
          'first', 'joint-first', 'session', 'review', 'procedure', 'telehealth', 'test', 'meeting'
        ))
    """)
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT who_stands_in_the_calendar_has_a_time,
          ADD CONSTRAINT who_stands_in_the_calendar_has_a_time CHECK (
            status NOT IN ('booked', 'arrived', 'fulfilled', 'noshow')
            OR (starts_at IS NOT NULL AND ends_at > starts_at
                AND practitioner IS NOT NULL AND (room IS NOT NULL OR kind = 'telehealth'))
          )
    """)
    op.execute("""
        ALTER TABLE appointment ADD CONSTRAINT other_visits_have_a_type CHECK (
          (kind IN ('first', 'session')) = (visit_type IS NULL)
        )
    """)
    op.execute("DROP INDEX one_live_first_per_referral")
    op.execute("""
        CREATE UNIQUE INDEX one_live_first_per_referral ON appointment (referral_id)
        WHERE kind IN ('first', 'joint-first')
          AND status IN ('proposed', 'waitlist', 'booked', 'arrived', 'fulfilled')
    """)
    # A clinician sees the joint visits in which they are the second one.
    op.execute("""
        CREATE INDEX appointment_joined_by ON appointment USING gin (colleagues)
        WHERE colleagues <> '{}'
    """)
