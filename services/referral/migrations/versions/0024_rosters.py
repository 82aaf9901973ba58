"""keep the rosters of the sites."""

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
