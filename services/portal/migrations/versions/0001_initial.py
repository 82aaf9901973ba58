"""initial."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "draft",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("fields", sa.LargeBinary(), nullable=False),
        sa.Column("machine_kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "path"),
    )
    op.create_index("draft_by_end", "draft", ["machine_kept_until"], unique=False)
    op.create_table(
        "session",
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("fhir_user", sa.String(), nullable=True),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.Column("machine_access_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("machine_ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id_hash"),
    )
    op.create_index("session_by_end", "session", ["machine_ends_at"], unique=False)
