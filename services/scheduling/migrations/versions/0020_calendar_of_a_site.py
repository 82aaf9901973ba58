"""read the calendar of a site by when visits begin."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE INDEX appointment_of_site_by_start ON appointment (site, starts_at)")
