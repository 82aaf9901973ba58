"""keep when an aggregate last published something: no event is older than the one before."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_AGGREGATES = ("notification",)


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in _AGGREGATES:
        op.add_column(table, sa.Column("event_at", sa.DateTime(timezone=True), nullable=True))
