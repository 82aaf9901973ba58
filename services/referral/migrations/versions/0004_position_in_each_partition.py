"""keep a group's position in every partition of what it reads, on the log (partition 0) and on Kafka alike.

`consumer_position` stays for processes of the version before, which run until they are replaced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "group_position",
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("log_partition", sa.Integer(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "topic", "log_partition"),
    )
    op.execute(
        "INSERT INTO group_position (consumer_group, topic, log_partition, next_offset)"
        " SELECT consumer_group, topic, 0, next_offset FROM consumer_position"
    )
