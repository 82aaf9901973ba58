"""What a coordinator may do with a Task; what the life cycle owns is changed by its commands only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.referral.models.rows import Referral, Task
from services.referral.rules import waiting
from services.referral.rules.urgent import waits_for_a_clinician
from services.referral.states import TASK_ALLOWED, State
from shared.clinic import Clinic
from shared.context import Context
from shared.fhir.codes import TaskCode
from shared.reasons import Reason

_BY_HAND = (
    TaskCode.TELEPHONE_REFERRER,
    TaskCode.TELEPHONE_CLINICIAN,
    TaskCode.OVERDUE_REFERRAL,
    TaskCode.RESOLVE_DENIAL,
    TaskCode.MERGE_DUPLICATE,
    TaskCode.REVIEW_REFERRAL,
    TaskCode.UPDATE_PATIENT,
    TaskCode.RESOLVE_IDENTITY,
    TaskCode.ANSWER_REFERRER,
    TaskCode.ANSWER_CLINIC,
    TaskCode.ANOTHER_TIME,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A Task, and the referral about which somebody is asked to act."""

    task: Task
    referral: Referral


def may_change(_: Context, item: WorkItem, *, status: str) -> Reason | None:
    """Allow a status that may follow; a Task that asks for a decision ends by the decision."""
    task = item.task
    if task.code not in _BY_HAND:
        return Reason.of("kept-by-commands")
    if status == task.status:
        return None
    allowed = sorted(TASK_ALLOWED.get(task.status, ()))
    if not allowed:
        return Reason.of("task-ended", now=task.status)
    if status not in allowed:
        return Reason.of("no-task-step", now=task.status, to=status, allowed=allowed)
    if status == "rejected" and not waits_for_a_clinician(item.referral):
        return None
    return _undecided(item) if status in ("completed", "cancelled", "rejected") else None


def due_of(code: TaskCode, referral: Referral, *, clinic: Clinic, at: datetime) -> datetime | None:
    """Say by when a Task is to be done that was opened at a moment; None where nothing says so."""
    limits = {
        TaskCode.REVIEW_REFERRAL: waiting.limit(referral, clinic=clinic),
        TaskCode.MERGE_DUPLICATE: waiting.limit(referral, clinic=clinic),
        TaskCode.ANSWER_REFERRER: timedelta(hours=clinic.waiting.answer_hours),
        TaskCode.ANOTHER_TIME: timedelta(hours=clinic.waiting.answer_hours),
        TaskCode.ANSWER_CLINIC: timedelta(days=clinic.waiting.information_days),
    }
    limit = limits.get(code)
    return None if limit is None else at + limit


def _undecided(item: WorkItem) -> Reason | None:
    code, state = TaskCode(item.task.code), State(item.referral.state)
    if code is TaskCode.MERGE_DUPLICATE and state in (State.DUPLICATE_SUSPECTED, State.AWAITING_REVIEW):
        return Reason.of("merge-or-accept-first")
    if (code, state) == (TaskCode.REVIEW_REFERRAL, State.AWAITING_REVIEW):
        return Reason.of("review-first")
    return None
