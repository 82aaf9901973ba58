"""a patient who has come is shown into the room."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT status_is_known, ADD CONSTRAINT status_is_known
          CHECK (status IN (
            'proposed', 'pending', 'waitlist', 'booked', 'arrived', 'checked-in', 'fulfilled', 'noshow',
            'cancelled'
          ))
    """)
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT who_stands_in_the_calendar_has_a_time,
          ADD CONSTRAINT who_stands_in_the_calendar_has_a_time CHECK (
            status NOT IN ('booked', 'arrived', 'checked-in', 'fulfilled', 'noshow')
            OR (starts_at IS NOT NULL AND ends_at > starts_at
                AND practitioner IS NOT NULL AND (room IS NOT NULL OR kind = 'telehealth'))
          )
    """)
    op.execute("DROP INDEX one_live_first_per_referral")
    op.execute("""
        CREATE UNIQUE INDEX one_live_first_per_referral ON appointment (referral_id)
        WHERE kind IN ('first', 'joint-first')
          AND status IN ('proposed', 'waitlist', 'booked', 'arrived', 'checked-in', 'fulfilled')
    """)
    for column in ("site", "practitioner"):
        op.execute(f"DROP INDEX appointment_of_{column}_to_record")
        op.execute(f"""
            CREATE INDEX appointment_of_{column}_to_record ON appointment ({column}, ends_at, id)
            WHERE status IN ('booked', 'arrived', 'checked-in')
        """)
