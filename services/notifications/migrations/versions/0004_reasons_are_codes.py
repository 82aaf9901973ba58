"""keep reasons as codes with arguments; a sentence from before stands under the code `as-written`."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        "ALTER TABLE notification ALTER COLUMN reason TYPE jsonb"
        " USING CASE WHEN reason <> '' THEN jsonb_build_object('code', 'as-written', 'text', reason) END"
    )
