"""The life cycles of scheduling as tables of allowed transitions.

An appointment that moves to another time stays `booked`: a move is not a transition.
"""

from enum import StrEnum


class AppointmentStatus(StrEnum):
    """Appointment.status, as far as this clinic uses it.

    A visit that is `proposed` is promised: its day follows by the plan of an evening. One that is `pending`
    is held for who asked for it, until the hold expires. Who has `arrived` is in the house, who is
    `checked-in` in the room.
    """

    PROPOSED = "proposed"
    PENDING = "pending"
    WAITLIST = "waitlist"
    BOOKED = "booked"
    ARRIVED = "arrived"
    CHECKED_IN = "checked-in"
    FULFILLED = "fulfilled"
    MISSED = "noshow"
    CANCELLED = "cancelled"


class SeriesStatus(StrEnum):
    """Where a session series stands."""

    NOT_BOOKED = "not-booked"
    BOOKED = "booked"
    SUSPENDED = "suspended"
    COMPLETED = "completed"


class AbsenceStatus(StrEnum):
    """Whether a time at which nobody is there, or nobody is seen, counts; the codes are FHIR's of a Slot."""

    UNAVAILABLE = "busy-unavailable"
    IN_ERROR = "entered-in-error"


class ReplanStatus(StrEnum):
    """Task.status of what asks a coordinator to plan visits anew."""

    REQUESTED = "requested"
    COMPLETED = "completed"


class VisitTaskStatus(StrEnum):
    """Task.status of what asks people to do something about a visit."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class OfferStatus(StrEnum):
    """Task.status of the offer of a freed time: asked, yes, no, or ended without an answer."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class RoundStatus(StrEnum):
    """What became of a freed time: it is open, an offer of it was taken, somebody without a day or another
    booking filled it, or it was left.
    """

    OPEN = "open"
    TAKEN = "taken"
    FILLED = "filled"
    LEFT = "left"


class GroupStatus(StrEnum):
    """Where a group session stands: open to patients, left by all of them, or cancelled by staff."""

    OPEN = "open"
    EMPTY = "empty"
    CANCELLED = "cancelled"


class ReferralState(StrEnum):
    """What scheduling knows of a referral."""

    OPEN = "open"
    ENDED = "ended"


_S = AppointmentStatus

ALLOWED: frozenset[tuple[AppointmentStatus, AppointmentStatus]] = frozenset(
    {
        (_S.PROPOSED, _S.BOOKED),
        (_S.PROPOSED, _S.WAITLIST),
        (_S.PROPOSED, _S.CANCELLED),
        (_S.PENDING, _S.BOOKED),
        (_S.PENDING, _S.CANCELLED),
        (_S.WAITLIST, _S.BOOKED),
        (_S.WAITLIST, _S.CANCELLED),
        (_S.BOOKED, _S.ARRIVED),
        (_S.BOOKED, _S.CHECKED_IN),
        (_S.BOOKED, _S.FULFILLED),
        (_S.BOOKED, _S.MISSED),
        (_S.BOOKED, _S.CANCELLED),
        (_S.ARRIVED, _S.CHECKED_IN),
        (_S.ARRIVED, _S.FULFILLED),
        (_S.ARRIVED, _S.CANCELLED),
        (_S.CHECKED_IN, _S.FULFILLED),
        (_S.CHECKED_IN, _S.CANCELLED),
    }
)

# What a coordinator may say that it was instead, where a status was recorded by mistake.
CORRECTIONS: dict[AppointmentStatus, tuple[AppointmentStatus, ...]] = {
    _S.ARRIVED: (_S.BOOKED, _S.MISSED),
    _S.CHECKED_IN: (_S.BOOKED, _S.ARRIVED, _S.MISSED),
    _S.FULFILLED: (_S.BOOKED, _S.ARRIVED, _S.CHECKED_IN, _S.MISSED),
    _S.MISSED: (_S.BOOKED, _S.ARRIVED, _S.CHECKED_IN, _S.FULFILLED),
    _S.CANCELLED: (_S.BOOKED,),
}

# The patient is there and was not seen yet.
HERE = (AppointmentStatus.ARRIVED, AppointmentStatus.CHECKED_IN)
STANDING = (AppointmentStatus.BOOKED, *HERE)
# What has no time yet.
UNTIMED = (AppointmentStatus.PROPOSED, AppointmentStatus.WAITLIST)
LIVE_FIRST = (
    *UNTIMED,
    *STANDING,
    AppointmentStatus.FULFILLED,
)

LOST = (AppointmentStatus.MISSED, AppointmentStatus.CANCELLED)

ALLOWED_SERIES: frozenset[tuple[SeriesStatus, SeriesStatus]] = frozenset(
    {
        (SeriesStatus.NOT_BOOKED, SeriesStatus.BOOKED),
        (SeriesStatus.BOOKED, SeriesStatus.NOT_BOOKED),
        (SeriesStatus.BOOKED, SeriesStatus.SUSPENDED),
        (SeriesStatus.BOOKED, SeriesStatus.COMPLETED),
        # More was granted, or wanted, than had been booked.
        (SeriesStatus.COMPLETED, SeriesStatus.BOOKED),
        (SeriesStatus.SUSPENDED, SeriesStatus.BOOKED),
        (SeriesStatus.SUSPENDED, SeriesStatus.NOT_BOOKED),
    }
)


# Where a series goes when a session of it was recorded by mistake.
CORRECTED_SERIES: frozenset[tuple[SeriesStatus, SeriesStatus]] = frozenset(
    {
        (SeriesStatus.COMPLETED, SeriesStatus.BOOKED),
        (SeriesStatus.COMPLETED, SeriesStatus.SUSPENDED),
        (SeriesStatus.SUSPENDED, SeriesStatus.COMPLETED),
    }
)


REPLANNING = {ReplanStatus.REQUESTED: frozenset({ReplanStatus.COMPLETED})}
VISIT_TASKS = {VisitTaskStatus.REQUESTED: frozenset({VisitTaskStatus.COMPLETED, VisitTaskStatus.CANCELLED})}
OFFERS = {
    OfferStatus.REQUESTED: frozenset({OfferStatus.COMPLETED, OfferStatus.REJECTED, OfferStatus.CANCELLED})
}


def may(old: AppointmentStatus, new: AppointmentStatus) -> bool:
    """Tell whether an appointment may go from one status to another."""
    return (old, new) in ALLOWED


def series_may(old: SeriesStatus, new: SeriesStatus) -> bool:
    """Tell whether a series may go from one status to another, or stay where it is."""
    return old == new or (old, new) in ALLOWED_SERIES


def series_corrects(old: SeriesStatus, new: SeriesStatus) -> bool:
    """Tell whether a series may go from one status to another when a session of it is corrected."""
    return series_may(old, new) or (old, new) in CORRECTED_SERIES


def reachable(old: AppointmentStatus) -> list[str]:
    """Return the statuses that an appointment can go to from here."""
    return sorted(after.value for before, after in ALLOWED if before == old)
