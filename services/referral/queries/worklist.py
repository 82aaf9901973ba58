"""What each party has to do around referrals: which rows, in which order an index gives them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, select
from sqlmodel import col

from services.referral.models.rows import Claim, Referral, Task
from services.referral.models.tables import ReferralTable, TaskTable
from services.referral.queries import scope
from services.referral.states import OPEN_TASKS, State
from shared.auth.principal import Principal
from shared.clinic import Clinic
from shared.db import Transaction
from shared.fhir.codes import TaskCode
from shared.fhir.worklists import Urgency, WorklistSource, fixed
from shared.people import KnownPerson

WAITS_FOR_SENDER = "waits-for-sender"
INFORMATION_REQUESTED = "information-requested"
_OF_COORDINATORS: Mapping[TaskCode, Urgency] = {
    TaskCode.TELEPHONE_REFERRER: Urgency.STOP,
    TaskCode.TELEPHONE_CLINICIAN: Urgency.STOP,
    TaskCode.REVIEW_REFERRAL: Urgency.TURN,
    TaskCode.MERGE_DUPLICATE: Urgency.TURN,
    TaskCode.RESOLVE_IDENTITY: Urgency.TURN,
    TaskCode.UPDATE_PATIENT: Urgency.TURN,
    TaskCode.RESOLVE_DENIAL: Urgency.TURN,
    TaskCode.OVERDUE_REFERRAL: Urgency.RISK,
    TaskCode.ANSWER_REFERRER: Urgency.TURN,
    TaskCode.ANOTHER_TIME: Urgency.TURN,
}
_TASKS = "SELECT * FROM task WHERE id = ANY($1::uuid[])"
_REFERRALS = "SELECT * FROM referral WHERE id = ANY($1::uuid[])"
_CLAIMS = "SELECT * FROM claim WHERE id = ANY($1::uuid[])"


def sources(principal: Principal, *, clinic: Clinic) -> list[WorklistSource]:
    """List the kinds that a caller's party has."""
    asked_for = timedelta(days=clinic.waiting.information_days)
    match principal.party:
        case "coordinator":
            of_site = col(TaskTable.site) == principal.site
            asked = col(ReferralTable.site) == principal.site
            return [
                *(_tasks(code, of_site, urgency=urgency) for code, urgency in _OF_COORDINATORS.items()),
                _tasks(TaskCode.ACKNOWLEDGE_EMERGENCY, of_site, urgency=Urgency.STOP, kind=WAITS_FOR_SENDER),
                _asked(WAITS_FOR_SENDER, asked, urgency=Urgency.WAITING, within=asked_for),
            ]
        case "clinician":
            return [_tasks(TaskCode.REVIEW_REFERRAL, _to_review(principal), urgency=Urgency.TURN)]
        case "insurer":
            mine = scope.tasks(principal)
            return [_tasks(TaskCode.DECIDE_AUTHORIZATION, mine, urgency=Urgency.TURN)]
    of_requester = col(TaskTable.requester) == principal.organization
    mine = col(ReferralTable.requester) == principal.organization
    return [
        _tasks(TaskCode.ACKNOWLEDGE_EMERGENCY, of_requester, urgency=Urgency.STOP),
        _tasks(TaskCode.ANSWER_CLINIC, of_requester, urgency=Urgency.TURN),
        _asked(INFORMATION_REQUESTED, mine, urgency=Urgency.TURN, within=asked_for),
    ]


async def tasks(tx: Transaction, ids: Collection[UUID]) -> Sequence[Task]:
    """Read Tasks by their ids, without a lock."""
    return await tx.rows(Task, _TASKS, list(ids))


async def referrals(tx: Transaction, ids: Collection[UUID]) -> Sequence[Referral]:
    """Read referrals by their ids, without a lock."""
    return await tx.rows(Referral, _REFERRALS, list(ids))


async def claims(tx: Transaction, ids: Collection[UUID]) -> Sequence[Claim]:
    """Read Claims by their ids, without a lock."""
    return await tx.rows(Claim, _CLAIMS, list(ids))


async def people(
    tx: Transaction, principal: Principal, patient_ids: Collection[UUID]
) -> dict[UUID, KnownPerson]:
    """Read who patients are, a sender as that sender has described them; to an insurer nobody is named."""
    if principal.party == "insurer":
        return {}
    seen = scope.PATIENTS
    whose = seen.requester == principal.organization if principal.party == "referrer" else seen.known
    found = await tx.select(
        select(seen.id, seen.family, seen.given, seen.birth_date).where(seen.id.in_(patient_ids), whose)
    )
    return {
        record["id"]: KnownPerson(
            family=record["family"], given=record["given"], birth_date=record["birth_date"]
        )
        for record in found
    }


def _tasks(
    code: TaskCode, whose: ColumnElement[bool], *, urgency: Urgency, kind: str | None = None
) -> WorklistSource:
    return WorklistSource(
        kind=kind or code,
        resource_type="Task",
        urgency=urgency,
        id=col(TaskTable.id),
        since=col(TaskTable.authored_on),
        due=col(TaskTable.due_at),
        where=and_(
            whose,
            fixed(TaskTable.code, code),
            fixed(TaskTable.status, *OPEN_TASKS),
            col(TaskTable.code) != literal_column("'process-request'"),
        ),
    )


def _asked(kind: str, whose: ColumnElement[bool], *, urgency: Urgency, within: timedelta) -> WorklistSource:
    """List what a sender was asked for, by the ids of the referrals."""
    since = col(ReferralTable.state_since)
    return WorklistSource(
        kind=kind,
        resource_type="Task",
        urgency=urgency,
        id=col(ReferralTable.id),
        since=col(ReferralTable.state_since),
        due=col(ReferralTable.state_since),
        due_after=within,
        where=and_(whose, fixed(ReferralTable.state, State.INFORMATION_REQUESTED), since.is_not(None)),
    )


def _to_review(principal: Principal) -> ColumnElement[bool]:
    """Hold for what waits for this clinician's triage."""
    mine = select(col(ReferralTable.id)).where(
        col(ReferralTable.reviewers).contains([principal.practitioner]),
        col(ReferralTable.state) == State.AWAITING_REVIEW,
    )
    return col(TaskTable.referral_id).in_(mine)
