"""keep the recorded consents of a patient to channels, and how far all patients were published again."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE patient ADD COLUMN channel_consents jsonb NOT NULL DEFAULT '[]'")
    op.execute("""
        CREATE TABLE patient_republication (
          name varchar PRIMARY KEY, last_id uuid, published integer NOT NULL, is_finished boolean NOT NULL
        )
    """)
