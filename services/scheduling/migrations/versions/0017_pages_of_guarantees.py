"""read a page of a site's guarantees in the order of their ends."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("CREATE INDEX guarantee_of_site_by_due ON guarantee (site, status, due_at, id)")
    op.execute("CREATE INDEX guarantee_due ON guarantee (site, due_at)")
