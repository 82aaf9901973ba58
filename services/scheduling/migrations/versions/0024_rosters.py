"""keep the rosters of the sites, and when their people are away."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE roster (
          id uuid PRIMARY KEY, event_version integer NOT NULL, event_at timestamptz,
          site text NOT NULL UNIQUE, revision bigint NOT NULL, document jsonb NOT NULL,
          changed_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE unavailable_time (
          id uuid PRIMARY KEY, event_version integer NOT NULL, event_at timestamptz,
          version integer NOT NULL, last_updated timestamptz, body bytea NOT NULL,
          site varchar NOT NULL, person varchar, status varchar NOT NULL,
          starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
          CONSTRAINT status_is_known CHECK (status IN ('busy-unavailable', 'entered-in-error')),
          CONSTRAINT ends_after_its_start CHECK (starts_at < ends_at)
        )
    """)
    op.execute("CREATE INDEX ix_unavailable_time_last_updated ON unavailable_time (last_updated)")
    op.execute("CREATE INDEX unavailable_time_of_site ON unavailable_time (site, person, ends_at)")
