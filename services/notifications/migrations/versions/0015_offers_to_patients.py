"""keep the times that are offered to patients, and which message and link is about one."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE known_offer (
          id varchar PRIMARY KEY, visit_id varchar NOT NULL,
          referral_id varchar NOT NULL REFERENCES known_referral (id), practitioner varchar NOT NULL,
          starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, until timestamptz NOT NULL,
          stands boolean NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_known_offer_referral_id ON known_offer (referral_id)")
    op.execute("ALTER TABLE notification ADD COLUMN offer_id varchar")
    op.execute("CREATE INDEX notification_by_offer ON notification (offer_id) WHERE offer_id IS NOT NULL")
    op.execute("ALTER TABLE patient_link ADD COLUMN offer_id varchar")
