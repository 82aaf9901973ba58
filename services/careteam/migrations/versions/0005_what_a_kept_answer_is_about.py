"""say what each kept answer is about, so that a replay can be checked; answers to searches are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What is no resource of its own, a Bundle or Parameters, was answered to a search or an inquiry.
_NAME = """
UPDATE idempotency SET about = (told ->> 'resourceType') || '/' || (told ->> 'id')
FROM (SELECT client, key, convert_from(body, 'UTF8')::jsonb AS told FROM idempotency WHERE status > 0) AS kept
WHERE idempotency.client = kept.client AND idempotency.key = kept.key
  AND told ->> 'resourceType' NOT IN ('Bundle', 'Parameters', 'OperationOutcome')
"""


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("idempotency", sa.Column("about", sa.Text(), nullable=True))
    op.execute(_NAME)
    op.execute("DELETE FROM idempotency WHERE status > 0 AND about IS NULL")
