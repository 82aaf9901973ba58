"""give each case its position on the agenda where it stands, and keep when people came to a meeting."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NUMBER = """
UPDATE care_task SET position = numbered.position
FROM (
  SELECT id, row_number() OVER (PARTITION BY meeting_id ORDER BY id) AS position FROM care_task
  WHERE code = 'agenda-item' AND meeting_id IS NOT NULL
) AS numbered
WHERE care_task.id = numbered.id
"""
# The resource says it too: an input beside the meeting, as a new case has it.
_SAY = """
UPDATE care_task SET body = convert_to(CAST(jsonb_set(
  CAST(convert_from(body, 'UTF8') AS jsonb), '{input}',
  (CAST(convert_from(body, 'UTF8') AS jsonb) -> 'input') || jsonb_build_array(
    jsonb_build_object('type', jsonb_build_object('text', 'position'), 'valuePositiveInt', position)
  )
) AS text), 'UTF8')
WHERE position IS NOT NULL AND jsonb_exists(CAST(convert_from(body, 'UTF8') AS jsonb), 'input')
"""


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE meeting_participant ADD COLUMN came_at timestamptz")
    op.execute("ALTER TABLE care_task ADD COLUMN position integer")
    op.execute(_NUMBER)
    op.execute(_SAY)
    op.execute(
        "CREATE UNIQUE INDEX one_case_at_a_position ON care_task (meeting_id, position) WHERE position IS NOT NULL"
    )
