"""keep what a worklist is sorted by: since when a guarantee is unbooked and a first appointment waits."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction.

    Since when nobody kept is told by when the row was written last.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE guarantee ADD COLUMN unbooked_since timestamptz")
    op.execute("""
        UPDATE guarantee SET unbooked_since = coalesce(guarantee.last_updated, referral.accepted_at)
        FROM referral
        WHERE referral.id = guarantee.referral_id AND guarantee.status IN ('at-risk', 'breached')
          AND referral.state = 'open' AND NOT EXISTS (
            SELECT FROM appointment WHERE referral_id = referral.id AND kind = 'first'
              AND status IN ('booked', 'arrived', 'fulfilled'))
    """)
    op.execute("""
        CREATE INDEX guarantee_unbooked ON guarantee (site, due_at, unbooked_since, id)
        WHERE unbooked_since IS NOT NULL
    """)
    op.execute("ALTER TABLE appointment ADD COLUMN due_at timestamptz, ADD COLUMN waits_since timestamptz")
    op.execute("""
        UPDATE appointment SET due_at = referral.due_at,
          waits_since = coalesce(appointment.last_updated, referral.accepted_at)
        FROM referral WHERE referral.id = appointment.referral_id AND appointment.kind = 'first'
    """)
    op.execute("""
        ALTER TABLE appointment ADD CONSTRAINT who_waits_does_so_since
        CHECK (status <> 'waitlist' OR waits_since IS NOT NULL)
    """)
    op.execute("DROP INDEX appointment_waiting")
    op.execute("""
        CREATE INDEX appointment_waiting ON appointment (site, due_at, waits_since, id)
        WHERE status = 'waitlist'
    """)
    for column in ("site", "practitioner"):
        op.execute(f"""
            CREATE INDEX appointment_of_{column}_to_record ON appointment ({column}, ends_at, id)
            WHERE status IN ('booked', 'arrived')
        """)
