"""keep the clinic's directory: its organisations, places, people and programmes."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE directory_resource (
          id uuid PRIMARY KEY, event_version integer NOT NULL, event_at timestamptz,
          version integer NOT NULL, last_updated timestamptz, body bytea NOT NULL,
          type text NOT NULL, logical_id text NOT NULL,
          name text, family text, given text, status text,
          organization text, practitioner text, part_of text,
          identifiers text[] NOT NULL, locations text[] NOT NULL, services text[] NOT NULL,
          specialties text[] NOT NULL, categories text[] NOT NULL, codes text[] NOT NULL,
          characteristics text[] NOT NULL,
          CONSTRAINT directory_resource_once UNIQUE (type, logical_id)
        )
    """)
