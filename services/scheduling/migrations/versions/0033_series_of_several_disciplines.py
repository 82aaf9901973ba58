"""series of several disciplines: each has its own grant, and a session says whose it is."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE funding ADD COLUMN grants jsonb NOT NULL DEFAULT '[]'")
    # What was kept was one grant, for the only discipline that gave sessions.
    op.execute("""
        UPDATE funding SET grants = jsonb_build_array(
          jsonb_build_object('units', units, 'starts_on', starts_on, 'ends_on', ends_on)
        )
    """)
    op.execute("ALTER TABLE funding DROP COLUMN units, DROP COLUMN starts_on, DROP COLUMN ends_on")
    op.execute("ALTER TABLE series ADD COLUMN wanted jsonb")
    op.execute("""
        ALTER TABLE appointment
          ADD COLUMN discipline varchar,
          DROP CONSTRAINT sessions_belong_to_a_series,
          ADD CONSTRAINT sessions_belong_to_a_series CHECK (
            kind NOT IN ('first', 'joint-first', 'session') OR (kind = 'session') = (series_id IS NOT NULL)
          ),
          ADD CONSTRAINT sessions_have_a_discipline CHECK (kind = 'session' OR discipline IS NULL)
    """)
