"""What a team's page shows of a patient: the bodies of what belongs to the teams, and the scores.

Who may see a team may see all of this: plans, goals, outcomes, cases, actions and messages have its scope.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.careteam.models.instruments import INSTRUMENTS
from services.careteam.models.summary import TeamResource, TeamScore
from services.careteam.states import LIVE_ACTIONS, LIVE_CASES, GoalState
from shared.db import Transaction
from shared.fhir import intake
from shared.fhir.codes import TaskCode

LAST_SCORES = 26
LAST_MESSAGES = 10

_RESOURCES = """
SELECT 'plan' AS part, team_id, body, drafted_at AS at, id FROM plan WHERE team_id = ANY($1::uuid[])
UNION ALL
SELECT 'goal', goal.team_id, goal.body, plan.drafted_at, goal.id FROM goal JOIN plan ON plan.id = goal.plan_id
WHERE goal.team_id = ANY($1::uuid[]) AND lifecycle_status <> $2
UNION ALL
SELECT 'case', team_id, body, authored_at, id FROM care_task
WHERE team_id = ANY($1::uuid[]) AND code = $3 AND state = ANY($4::text[])
UNION ALL
SELECT 'action', team_id, body, due_at, id FROM care_task
WHERE team_id = ANY($1::uuid[]) AND code = $5 AND state = ANY($6::text[])
UNION ALL
SELECT 'intake', team_id, body, authored_at, id FROM answers
WHERE team_id = ANY($1::uuid[]) AND questionnaire = $9
UNION ALL
(SELECT 'message', team_id, body, sent_at, id FROM message
 WHERE team_id = ANY($1::uuid[]) AND sent_at >= $7 ORDER BY sent_at DESC, id DESC LIMIT $8)
ORDER BY at, id
"""
_SCORES = """
SELECT id, team_id, instrument, score, effective_at, baseline, place <= $3 AND effective_at >= $4 AS is_shown
FROM (
  SELECT id, team_id, instrument, score, effective_at, baseline,
    row_number() OVER (PARTITION BY team_id, instrument ORDER BY effective_at DESC, id DESC) AS place
  FROM outcome WHERE team_id = ANY($1::uuid[]) AND instrument = ANY($2::text[])
) AS placed
WHERE baseline OR (place <= $3 AND effective_at >= $4) ORDER BY effective_at, id
"""


async def resources(tx: Transaction, team_ids: Sequence[UUID], *, since: datetime) -> list[TeamResource]:
    """List plans, goals that are not cancelled, live cases, open actions by when they are due, intake forms,
    and the last messages sent since a moment, each kind the oldest first.
    """
    records = await tx.records(
        _RESOURCES,
        list(team_ids),
        GoalState.CANCELLED,
        TaskCode.AGENDA_ITEM,
        list(LIVE_CASES),
        TaskCode.ACTION,
        list(LIVE_ACTIONS),
        since,
        LAST_MESSAGES,
        intake.URL,
    )
    return [TeamResource(part=row["part"], team_id=row["team_id"], body=row["body"]) for row in records]


async def scores(tx: Transaction, team_ids: Sequence[UUID], *, since: datetime) -> list[TeamScore]:
    """List the last scores of each instrument that were measured since a moment, and each baseline."""
    records = await tx.records(_SCORES, list(team_ids), list(INSTRUMENTS), LAST_SCORES, since)
    return [TeamScore(**record) for record in records]
