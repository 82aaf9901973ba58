"""keep reasons as codes with arguments; a sentence from before stands under the code `as-written`."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table, column in (("ended_referral", "reason"), ("team", "ended_because")):
        op.execute(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE jsonb USING"
            f" CASE WHEN coalesce({column}, '') = '' THEN '[]'::jsonb"
            f" ELSE jsonb_build_array(jsonb_build_object('code', 'as-written', 'text', {column})) END,"
            f" ALTER COLUMN {column} SET NOT NULL"
        )
    op.alter_column("ended_referral", "reason", new_column_name="reasons")
