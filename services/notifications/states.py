"""Whom a message is for, its life in the words of Communication.status, and what a patient may answer.

A message that was never handed to a channel ends `not-done`, one that was tried and given up ends `stopped`.
"""

from enum import StrEnum


class Audience(StrEnum):
    """Whom an event can concern."""

    REFERRER = "referrer"
    COORDINATOR = "coordinator"
    TEAM = "team"
    INSURER = "insurer"
    OWNER = "owner"
    PARTICIPANTS = "participants"
    PATIENT = "patient"


class Channel(StrEnum):
    """How a message reaches its recipient; the live feed is one log for all, cut to each reader's scope."""

    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"
    # By a person, whom scheduling asks: nothing is sent.
    TELEPHONE = "telephone"


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


class Answer(StrEnum):
    """What a patient may say of a visit (AppointmentResponse.participantStatus).

    `accepted` confirms it, `declined` calls it off, `tentative` asks for another time and keeps it till then.
    """

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"


# What `scheduling` says of a visit that matters to its patient (Appointment.status).
BOOKED, CANCELLED = "booked", "cancelled"


class Outcome(StrEnum):
    """What became of one attempt; a crash between sending and recording leaves it `started`."""

    STARTED = "started"
    TAKEN = "taken"
    FAILED = "failed"
    REFUSED = "refused"


def may_become(status: Status, new: Status) -> bool:
    """Tell whether a message may go from one status to another."""
    return (status, new) in ALLOWED
