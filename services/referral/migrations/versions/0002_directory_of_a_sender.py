"""let a sender's directory tell who carries an identifier: the first resource that does."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "directory_entry",
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("enclosure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enclosure_id"],
            ["enclosure.id"],
        ),
        sa.PrimaryKeyConstraint("requester", "type", "token"),
    )
    op.execute(
        "INSERT INTO directory_entry (requester, type, token, enclosure_id)"
        " SELECT DISTINCT ON (enclosure.requester, enclosure.type, token)"
        " enclosure.requester, enclosure.type, token, enclosure.id"
        " FROM enclosure, unnest(enclosure.identifiers) AS token"
        " WHERE enclosure.type IN ('Practitioner', 'PractitionerRole', 'Organization')"
        " ORDER BY enclosure.requester, enclosure.type, token, enclosure.id"
    )
