"""How referrals stand at night, read from what is there: no row and no column is kept for it.

Every step was a version of the process Task. The first of those that show the state that it has now says
since when it stands so, and the last that named the first visit says when that is; a later note of something
else takes neither away.
"""

from collections.abc import Sequence
from uuid import UUID

from services.referral.models.snapshot import ReferralSnapshot
from services.referral.states import (
    OPEN_TASKS,
    REOPENED_BY_AN_ANSWER,
    TERMINAL,
    UNDER_CARE,
    State,
    WaitingClock,
)
from shared.db import Transaction

_LOOK = """
SELECT referral.id, referral.state, referral.programme, referral.unacknowledged,
  cardinality(referral.reviewers) > 0 AS urgent,
  coalesce(stood.since, process.last_updated) AS since, stood.visit_at,
  ARRAY(SELECT kind FROM timer WHERE kind = ANY($1::text[]) AND ref = referral.id::text) AS clocks,
  ARRAY(SELECT code FROM task WHERE referral_id = referral.id AND owner = $2 AND status = ANY($3::text[])
        AND code NOT IN ('process-request', 'overdue-referral', 'update-patient', 'resolve-identity',
          'answer-referrer', 'another-time')
  ) AS work,
  (SELECT min(authored_on) FROM task WHERE referral_id = referral.id AND status = ANY($3::text[])
   AND code IN ('answer-referrer', 'another-time')) AS asked_at,
  (SELECT min(authored_on) FROM task WHERE referral_id = referral.id AND status = ANY($3::text[])
   AND code = 'answer-clinic') AS asked_of_referrer_at,
  (SELECT authored_on FROM task WHERE referral_id = referral.id AND status = ANY($3::text[])
   AND code = 'overdue-referral') AS told_at,
  (SELECT first.state FROM referral AS first WHERE first.id = referral.merged_into) AS first
FROM referral
JOIN task AS process ON process.referral_id = referral.id AND process.code = 'process-request'
CROSS JOIN LATERAL (
  WITH said AS MATERIALIZED (
    SELECT kept.version, kept.last_updated, kept.told #>> '{businessStatus,coding,0,code}' AS state,
      jsonb_path_query_first(kept.told, '$.statusReason.coding[*] ? (@.code == "first-appointment-booked"
        || @.code == "first-appointment-moved" || @.code == "patient-arrived")
        .extension[*].extension[*].valueDateTime') #>> '{}' AS visit_at
    FROM (
      SELECT version, last_updated, convert_from(body, 'UTF8')::jsonb AS told FROM resource_version
      WHERE type = 'Task' AND id = process.id::text AND referral.state = ANY($4::text[])
      UNION ALL
      SELECT process.version, process.last_updated, convert_from(process.body, 'UTF8')::jsonb
    ) AS kept
  )
  SELECT
    min(last_updated) FILTER (WHERE version > coalesce(
      (SELECT max(other.version) FROM said AS other WHERE other.state <> referral.state), 0)) AS since,
    (array_agg(visit_at::timestamptz ORDER BY version DESC)
     FILTER (WHERE visit_at IS NOT NULL))[1] AS visit_at
  FROM said
) AS stood
WHERE
"""
_AT_SITE = f"""{_LOOK} referral.site = $5 AND (
  referral.state <> ALL($6::text[]) OR referral.unacknowledged
  OR EXISTS (SELECT FROM task WHERE referral_id = referral.id AND status = ANY($3::text[])
             AND code IN ('answer-referrer', 'another-time', 'answer-clinic'))
)"""
_OF_ONE = f"{_LOOK} referral.id = $5"

# Whose Task's versions are read: what was accepted, and goes on.
_STEPS_READ: list[str] = list(UNDER_CARE - {State.WAITLISTED})
# What nobody has to let go on; what was merged is seen by what became of the first.
_AT_REST: list[str] = list((TERMINAL - {State.MERGED}) | REOPENED_BY_AN_ANSWER)


async def at_site(tx: Transaction, site: str, *, clinic: str) -> Sequence[ReferralSnapshot]:
    """Tell how every referral of a site stands that somebody or something is to let go on."""
    found = await tx.records(_AT_SITE, *_always(clinic), site, _AT_REST)
    return [ReferralSnapshot(**record) for record in found]


async def of(tx: Transaction, referral_id: UUID, *, clinic: str) -> ReferralSnapshot | None:
    """Tell how one referral stands; None where there is none."""
    found = await tx.records(_OF_ONE, *_always(clinic), referral_id)
    return ReferralSnapshot(**found[0]) if found else None


def _always(clinic: str) -> tuple[list[str], str, list[str], list[str]]:
    return list(WaitingClock), clinic, list(OPEN_TASKS), _STEPS_READ
