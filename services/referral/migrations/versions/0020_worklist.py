"""keep what a worklist is sorted by: whose Tasks are and by when, and since when a referral stands so."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OPEN = (
    "status IN ('requested', 'received', 'accepted', 'in-progress', 'on-hold') AND code <> 'process-request'"
)


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE task ADD COLUMN site varchar NOT NULL DEFAULT '',
          ADD COLUMN requester varchar NOT NULL DEFAULT '', ADD COLUMN due_at timestamptz
    """)
    op.execute("""
        UPDATE task SET site = referral.site, requester = referral.requester,
          due_at = (convert_from(task.body, 'UTF8')::jsonb #>> '{restriction,period,end}')::timestamptz
        FROM referral WHERE referral.id = task.referral_id
    """)
    op.execute("ALTER TABLE referral ADD COLUMN state_since timestamptz")
    op.execute("""
        UPDATE referral SET state_since = coalesce(task.last_updated, referral.sent_at)
        FROM task WHERE task.referral_id = referral.id AND task.code = 'process-request'
    """)
    for whose in ("site", "requester", "owner"):
        op.execute(f"""
            CREATE INDEX task_of_{whose}_open ON task ({whose}, code, due_at, authored_on, id) WHERE {_OPEN}
        """)
    for whose in ("site", "requester"):
        op.execute(f"""
            CREATE INDEX referral_of_{whose}_asked ON referral ({whose}, state_since, id)
            WHERE state = 'information-requested'
        """)
