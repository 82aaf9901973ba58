"""say what each kept answer is about, so that a replay can be checked; answers to searches are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A transaction was answered with the place of its ServiceRequest, a message with the Task of its referral.
_NAME = """
UPDATE idempotency SET about = CASE told ->> 'resourceType'
    WHEN 'Bundle' THEN COALESCE(
      (SELECT split_part(entry -> 'response' ->> 'location', '/_history/', 1)
       FROM jsonb_array_elements(told -> 'entry') AS entry
       WHERE entry -> 'response' ->> 'location' LIKE 'ServiceRequest/%' LIMIT 1),
      (SELECT 'Task/' || (entry -> 'resource' ->> 'id') FROM jsonb_array_elements(told -> 'entry') AS entry
       WHERE told ->> 'type' = 'message' AND entry -> 'resource' ->> 'resourceType' = 'Task' LIMIT 1))
    ELSE (told ->> 'resourceType') || '/' || (told ->> 'id')
  END
FROM (SELECT client, key, convert_from(body, 'UTF8')::jsonb AS told FROM idempotency WHERE status > 0) AS kept
WHERE idempotency.client = kept.client AND idempotency.key = kept.key
  AND told ->> 'resourceType' NOT IN ('Parameters', 'OperationOutcome')
"""


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("idempotency", sa.Column("about", sa.Text(), nullable=True))
    op.execute(_NAME)
    op.execute("DELETE FROM idempotency WHERE status > 0 AND about IS NULL")
