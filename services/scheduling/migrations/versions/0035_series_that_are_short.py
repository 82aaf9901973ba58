"""a series says what of it found no time, and since when somebody has to see to it."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE series ADD COLUMN short jsonb, ADD COLUMN short_since timestamptz")
    op.execute("""
        CREATE INDEX series_to_see_to ON series (site, short_since) WHERE short_since IS NOT NULL
    """)
