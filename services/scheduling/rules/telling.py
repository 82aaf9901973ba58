"""Whether a patient is still to be told the day of a visit."""

from services.scheduling.models.rows import TellingTask
from services.scheduling.states import TellingStatus
from shared.reasons import Reason


def why_not_told(task: TellingTask) -> Reason | None:
    """Say why nobody is told any more; None where the Task is open."""
    if task.status == TellingStatus.REQUESTED:
        return None
    return Reason.of("task-ended", now=task.status)
