"""count the teams that people are in."""

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
        "caseload",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("practitioner", sa.String(), nullable=False),
        sa.Column("teams", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "practitioner"),
    )
    op.execute(
        "INSERT INTO caseload (site, practitioner, teams)"
        " SELECT team.site, team_member.practitioner, count(*)"
        " FROM team_member JOIN team ON team.id = team_member.team_id"
        " WHERE team.status = 'active' AND team_member.left_at IS NULL GROUP BY 1, 2"
    )
