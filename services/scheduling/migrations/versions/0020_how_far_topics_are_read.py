"""keep how far each topic is read; find accesses by what they were about."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        CREATE TABLE topic_progress (
          consumer_group text NOT NULL, topic text NOT NULL, lag bigint NOT NULL,
          machine_at timestamptz NOT NULL, PRIMARY KEY (consumer_group, topic)
        )
    """)
    op.execute("CREATE INDEX audit_event_by_entity ON audit_event (split_part(what, '/', 2))")
