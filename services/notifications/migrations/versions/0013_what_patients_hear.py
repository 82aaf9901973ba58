"""keep visits, links of messages to patients, and how patients want to be reminded."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE notification ADD COLUMN visit_id varchar")
    op.execute("ALTER TABLE notification ADD COLUMN visit_starts_at timestamptz")
    op.execute("""
        CREATE TABLE known_visit (
          id varchar PRIMARY KEY, referral_id varchar NOT NULL REFERENCES known_referral (id),
          patient_id varchar NOT NULL, site varchar NOT NULL, kind varchar, practitioner varchar, room varchar,
          starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, status varchar NOT NULL,
          sequence integer NOT NULL
        )
    """)
    op.execute("CREATE INDEX ix_known_visit_referral_id ON known_visit (referral_id)")
    op.execute(
        "CREATE INDEX known_visit_to_come ON known_visit (site, starts_at, id) WHERE status = 'booked'"
    )
    op.execute("""
        CREATE TABLE patient_choice (
          patient_id varchar PRIMARY KEY, reminder_days jsonb NOT NULL, sends_calendar boolean NOT NULL,
          chosen_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE patient_link (
          id uuid PRIMARY KEY, event_version integer NOT NULL, event_at timestamptz, mark bytea NOT NULL UNIQUE,
          notification_id uuid NOT NULL REFERENCES notification (id),
          patient_id varchar NOT NULL, referral_id varchar NOT NULL, visit_id varchar, starts_at timestamptz,
          made_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, tries_left integer NOT NULL,
          answer varchar, comment varchar, answered_at timestamptz,
          CONSTRAINT answer_known CHECK (answer IN ('accepted', 'declined', 'tentative')),
          CONSTRAINT answered_some_time CHECK ((answer IS NULL) = (answered_at IS NULL)),
          CONSTRAINT tries_are_counted CHECK (tries_left >= 0)
        )
    """)
    op.execute("CREATE INDEX ix_patient_link_notification_id ON patient_link (notification_id)")
