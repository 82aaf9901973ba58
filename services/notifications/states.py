"""The life of one message, in the words of Communication.status.

A message that was never handed to a channel ends `not-done`, one that was tried and given up ends `stopped`.
"""

from enum import StrEnum


class Status(StrEnum):
    """Where a message stands."""

    PREPARATION = "preparation"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    NOT_DONE = "not-done"
    STOPPED = "stopped"


ALLOWED: frozenset[tuple[Status, Status]] = frozenset(
    {
        (Status.PREPARATION, Status.IN_PROGRESS),
        (Status.PREPARATION, Status.NOT_DONE),
        (Status.IN_PROGRESS, Status.COMPLETED),
        (Status.IN_PROGRESS, Status.STOPPED),
    }
)

OPEN = (Status.PREPARATION, Status.IN_PROGRESS)


class Outcome(StrEnum):
    """What became of one attempt; a crash between sending and recording leaves it `started`."""

    STARTED = "started"
    TAKEN = "taken"
    FAILED = "failed"
    REFUSED = "refused"


def may_become(status: Status, new: Status) -> bool:
    """Tell whether a message may go from one status to another."""
    return (status, new) in ALLOWED
