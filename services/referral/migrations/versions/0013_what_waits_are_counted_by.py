"""keep by what waits are counted: when the first visit took place, when the care plan became active, and what the
first verdict missed. Of older referrals this is read from the versions of their Tasks.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SAID = """
WITH said AS (
  SELECT task.referral_id, kept.version, kept.last_updated, kept.told
  FROM task CROSS JOIN LATERAL (
    SELECT version, last_updated, convert_from(body, 'UTF8')\\:\\:jsonb AS told FROM resource_version
    WHERE type = 'Task' AND id = task.id\\:\\:text
    UNION ALL
    SELECT task.version, task.last_updated, convert_from(task.body, 'UTF8')\\:\\:jsonb
  ) AS kept
  WHERE task.code = 'process-request'
)
"""
_SEEN = f"""
{_SAID}
UPDATE referral SET first_seen_at = seen.at FROM (
  SELECT referral_id, max((jsonb_path_query_first(told, '$.statusReason.coding[*]
    ? (@.code == "first-appointment-fulfilled").extension[*].extension[*].valueDateTime') #>> '{{}}')
    \\:\\:timestamptz) AS at
  FROM said GROUP BY referral_id
) AS seen WHERE seen.referral_id = referral.id AND seen.at IS NOT NULL
  AND referral.state IN ('assessed', 'in-programme', 'discharged', 'closed', 'revoked', 'merged')
"""  # noqa: S608
_BEGAN = f"""
{_SAID}
UPDATE referral SET care_began_at = began.at FROM (
  SELECT referral_id, min(last_updated) AS at FROM said
  WHERE told #>> '{{businessStatus,coding,0,code}}' = 'in-programme' GROUP BY referral_id
) AS began WHERE began.referral_id = referral.id
"""  # noqa: S608
_MISSED = f"""
{_SAID}
UPDATE referral SET missing_at_first = missed.codes FROM (
  SELECT DISTINCT ON (referral_id) referral_id, ARRAY(
    SELECT found #>> '{{}}' FROM jsonb_path_query(told, '$.statusReason.coding[*]
      ? (@.code == "information-needed").extension[*].extension[*].valueCode') AS found
    WHERE found #>> '{{}}' <> 'missing'
  ) AS codes
  FROM said WHERE told #>> '{{businessStatus,coding,0,code}}' IN ('accepted', 'information-requested')
  ORDER BY referral_id, version
) AS missed WHERE missed.referral_id = referral.id
"""  # noqa: S608


def upgrade() -> None:
    """Change the schema; gives up instead of waiting behind a long transaction."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("referral", sa.Column("missing_at_first", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("referral", sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referral", sa.Column("care_began_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("referral_sent", "referral", ["site", "sent_at"])
    op.execute(_SEEN)
    op.execute(_BEGAN)
    op.execute(_MISSED)
