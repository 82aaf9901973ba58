"""find what is to be done in the order of a worklist."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    open_actions = "code = 'action' AND state IN ('requested', 'accepted', 'in-progress')"
    op.execute(f"CREATE INDEX open_action ON care_task (due_at, authored_at, id) WHERE {open_actions}")
    op.execute(
        f"CREATE INDEX open_action_of_owner ON care_task (owner, due_at, authored_at, id) WHERE {open_actions}"
    )
    op.execute("""
        CREATE INDEX waiting_case ON care_task (authored_at, id)
        WHERE code = 'agenda-item' AND state IN ('queued', 'on-agenda', 'carried-over')
    """)
    op.execute("CREATE INDEX plan_drafted ON plan (drafted_at, id) WHERE status = 'draft'")
