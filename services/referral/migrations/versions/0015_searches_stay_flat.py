"""index referrals by scope with what they are searched by, so that a page takes no longer when there are many."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for scope in ("requester", "site"):
        op.drop_index(f"ix_referral_{scope}", table_name="referral")
        op.create_index(f"referral_of_{scope}", "referral", [scope, "id"])
        op.create_index(f"referral_of_{scope}_by_status", "referral", [scope, "status", "id"])
        op.create_index(
            f"referral_of_{scope}_authored", "referral", [scope, sa.text("authored_on DESC NULLS LAST")]
        )
