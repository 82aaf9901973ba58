"""Used assertions; databases of before this version have the table already."""

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
        "used_assertion",
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("machine_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client", "jti"),
        if_not_exists=True,
    )
    op.create_index(
        "used_assertion_by_expiry", "used_assertion", ["machine_expires_at"], unique=False, if_not_exists=True
    )
