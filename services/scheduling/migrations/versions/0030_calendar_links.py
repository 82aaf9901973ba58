"""keep the links by which calendar programs read."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "calendar_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("practitioner", sa.String(), nullable=True),
        sa.Column("room", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(practitioner IS NULL) <> (room IS NULL)", name="shows_one_calendar"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mark"),
    )
    op.create_index(
        "calendar_link_of_site",
        "calendar_link",
        ["site", "made_at"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
