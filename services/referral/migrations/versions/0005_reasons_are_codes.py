"""keep reasons as codes with arguments; a sentence from before stands under the code `as-written`."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AS_WRITTEN = "jsonb_build_array(jsonb_build_object('code', 'as-written', 'text', {words}))"
_RULES = """
UPDATE referral SET rules = (
    SELECT jsonb_agg((fired - 'text') || jsonb_build_object('reasons', {words}) ORDER BY place)
    FROM jsonb_array_elements(rules) WITH ORDINALITY AS rule (fired, place)
)
WHERE rules <> '[]'
"""


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    changes = [
        f"ALTER COLUMN {column} TYPE jsonb USING CASE WHEN {column} = '' THEN '[]'::jsonb"
        f" ELSE {_AS_WRITTEN.format(words=column)} END"
        for column in ("reason", "funding", "sessions")
    ]
    # Every doubt said the same: an identifier of the patient is somebody else's too.
    changes += ["ALTER COLUMN doubt TYPE boolean USING doubt IS NOT NULL", "ALTER COLUMN doubt SET NOT NULL"]
    op.execute(f"ALTER TABLE referral {', '.join(changes)}")
    op.execute(_RULES.format(words=_AS_WRITTEN.format(words="fired -> 'text'")))
