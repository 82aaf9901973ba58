"""group sessions, of which every patient has a seat."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE group_session (
          id uuid NOT NULL PRIMARY KEY,
          site varchar NOT NULL,
          programme varchar NOT NULL,
          visit_type varchar NOT NULL,
          practitioner varchar NOT NULL,
          colleagues text[] NOT NULL,
          room varchar,
          equipment text[] NOT NULL,
          starts_at timestamptz NOT NULL,
          ends_at timestamptz NOT NULL,
          seats integer NOT NULL,
          status varchar NOT NULL,
          held_until timestamptz,
          CONSTRAINT status_is_known CHECK (status IN ('open', 'empty', 'cancelled')),
          CONSTRAINT takes_some_time CHECK (ends_at > starts_at),
          CONSTRAINT has_seats CHECK (seats BETWEEN 2 AND 40)
        )
    """)
    op.execute("""
        CREATE INDEX group_session_open ON group_session (site, starts_at) WHERE status = 'open'
    """)
    op.execute("""
        ALTER TABLE appointment
          ADD COLUMN group_session uuid REFERENCES group_session (id),
          ADD COLUMN seat integer,
          ADD CONSTRAINT who_is_in_a_group_has_a_seat CHECK (
            (group_session IS NULL) = (seat IS NULL) AND (seat IS NULL OR seat BETWEEN 1 AND 40)
          )
    """)
    op.execute("CREATE INDEX ix_appointment_group_session ON appointment (group_session)")
    op.execute("""
        CREATE UNIQUE INDEX one_patient_per_seat ON appointment (group_session, seat)
        WHERE status <> 'cancelled'
    """)
    op.execute("""
        ALTER TABLE appointment DROP CONSTRAINT kind_is_known, ADD CONSTRAINT kind_is_known CHECK (kind IN (
          'first', 'joint-first', 'session', 'review', 'procedure', 'telehealth', 'group', 'test', 'meeting'
        ))
    """)
    # A group session takes time too, and is no appointment.
    op.execute("ALTER TABLE occupancy DROP CONSTRAINT occupancy_appointment_fkey")
