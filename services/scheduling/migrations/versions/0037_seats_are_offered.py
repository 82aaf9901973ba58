"""a seat of a group that was given up is offered too, and held for those who are asked."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("offer_round", sa.Column("group_session", sa.Uuid(), nullable=True))
    op.add_column("offer_round", sa.Column("seat", sa.Integer(), nullable=True))
    op.add_column("offer_round", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "offer_round_of_group",
        "offer_round",
        ["group_session", "seat"],
        unique=True,
        postgresql_where=sa.text("status = 'open' AND seat IS NOT NULL"),
    )
