"""keep by which priority a patient is seen, and by when at last."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction.

    What was accepted before is routine and keeps its day. Its second promise ends as long after the first one
    as that is after the sending by the promise of most clinics, 28 days.
    """
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE referral ADD COLUMN priority varchar NOT NULL DEFAULT 'routine',
          ADD COLUMN priority_version integer NOT NULL DEFAULT 0
    """)
    op.execute("""
        ALTER TABLE guarantee ADD COLUMN second_due_at timestamptz NOT NULL DEFAULT now() + interval '56 days',
          ADD COLUMN second_breached_at timestamptz, DROP CONSTRAINT status_is_known,
          ADD CONSTRAINT status_is_known
            CHECK (status IN ('planned', 'on-track', 'at-risk', 'breached', 'met', 'ended'))
    """)
    op.execute("UPDATE guarantee SET second_due_at = due_at + interval '28 days'")
    op.execute("""
        INSERT INTO timer (kind, ref, due_at)
        SELECT 'guarantee-second-due', referral_id::text, second_due_at
        FROM guarantee JOIN referral ON referral.id = referral_id
        WHERE guarantee.status = 'breached' AND state = 'open'
          AND NOT EXISTS (
            SELECT FROM appointment WHERE appointment.referral_id = referral.id AND kind = 'first'
              AND appointment.status = 'fulfilled')
        ON CONFLICT DO NOTHING
    """)
