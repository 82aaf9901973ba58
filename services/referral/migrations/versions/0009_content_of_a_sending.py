"""keep what a sending said as a digest, who may decide an urgent referral and what priority triage gave,
what is merged into a referral, who has died and who first sent a patient; let several people carry one identifier,
and start the clock of what waits already.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE referral ADD COLUMN content varchar")
    op.execute("ALTER TABLE patient_identifier DROP CONSTRAINT patient_identifier_pkey")
    op.execute("ALTER TABLE patient_identifier ADD PRIMARY KEY (token, patient_id)")
    op.execute("ALTER TABLE referral ADD COLUMN reviewers text[] NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE referral ALTER COLUMN reviewers DROP DEFAULT")
    op.execute("CREATE INDEX referral_reviewers ON referral USING gin (reviewers)")
    op.execute("ALTER TABLE referral ADD COLUMN priority_by_person boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE referral ALTER COLUMN priority_by_person DROP DEFAULT")
    op.execute("UPDATE referral SET priority = 'routine' WHERE priority IS NULL")
    op.execute("ALTER TABLE referral ALTER COLUMN priority SET NOT NULL")
    op.execute("ALTER TABLE referral ADD COLUMN has_duplicates boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE referral ALTER COLUMN has_duplicates DROP DEFAULT")
    op.execute("UPDATE referral SET has_duplicates = true WHERE id IN (SELECT merged_into FROM referral)")
    op.execute("ALTER TABLE referral DROP CONSTRAINT merged_names_the_first")
    op.execute(
        "ALTER TABLE referral ADD CONSTRAINT merged_names_the_first"
        " CHECK (state <> 'merged' OR merged_into IS NOT NULL)"
    )
    op.execute("CREATE INDEX referral_merged_into ON referral (merged_into) WHERE merged_into IS NOT NULL")
    op.execute("ALTER TABLE patient ADD COLUMN deceased boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE patient ALTER COLUMN deceased DROP DEFAULT")
    op.execute(
        "UPDATE patient SET deceased = true WHERE position('\"deceasedBoolean\"\\:true'::bytea in body) > 0"
        " OR position('\"deceasedDateTime\"\\:'::bytea in body) > 0"
    )
    # What waits since an older version is told of too.
    op.execute(
        "INSERT INTO timer (kind, ref, due_at) SELECT 'referral-waits-too-long', id::text,"
        " now() + CASE WHEN state = 'information-requested' THEN interval '14 days' ELSE interval '1 day' END"
        " FROM referral WHERE state IN ('information-requested', 'awaiting-review', 'duplicate-suspected')"
    )
    op.execute("ALTER TABLE patient ADD COLUMN requester varchar")
    op.execute(
        "UPDATE patient SET requester = (SELECT requester FROM referral WHERE patient_id = patient.id"
        " ORDER BY sent_at, id LIMIT 1)"
    )
