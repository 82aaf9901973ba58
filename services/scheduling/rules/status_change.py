"""Whether a person may give an appointment another status now."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling import states, texts
from services.scheduling.models.rows import Appointment
from services.scheduling.rules.calendar import local_day_start
from services.scheduling.states import HERE, UNTIMED, AppointmentStatus
from shared.errors import Conflict
from shared.reasons import Reason


class NotInThisState(Conflict):
    """The appointment's life cycle has no such step."""


class TooEarly(Conflict):
    """What is to be recorded has not happened yet."""


def check(row: Appointment, status: AppointmentStatus, *, now: datetime, zone: ZoneInfo) -> None:
    """Raise NotInThisState or TooEarly where a status cannot be recorded now."""
    if (why := why_not_in_this_state(row, status)) is not None:
        raise NotInThisState.because(why, texts.REASONS, expression="Appointment.status")
    if (why := why_too_early(row, status, now=now, zone=zone)) is not None:
        raise TooEarly.because(why, texts.REASONS, expression="Appointment.status")


def why_not_in_this_state(row: Appointment, status: AppointmentStatus) -> Reason | None:
    """Say why the life cycle of an appointment has no step to a status; None where it has."""
    old = AppointmentStatus(row.status)
    if old in UNTIMED:
        return why_untimed(old)
    if states.may(old, status):
        return None
    if allowed := states.reachable(old):
        return Reason.of("no-such-step", state=old, to=status, allowed=allowed)
    return Reason.of("nothing-follows", state=old)


def why_untimed(status: str) -> Reason:
    """Say why what has no time yet is neither moved nor recorded."""
    if status == AppointmentStatus.PROPOSED:
        return Reason.of("day-follows")
    return Reason.of("on-the-waitlist")


def why_nobody_left(row: Appointment) -> Reason | None:
    """Say why nobody can have left without being seen; None where the patient has come and waits."""
    return None if row.status in HERE else Reason.of("nobody-waits", state=row.status)


def why_too_early(
    row: Appointment, status: AppointmentStatus, *, now: datetime, zone: ZoneInfo
) -> Reason | None:
    """Say from when on a status can be recorded, where that is later than now."""
    earliest = _earliest(row, status, zone=zone)
    if earliest is None or now >= earliest:
        return None
    return Reason.of("too-early", status=status, earliest=earliest)


def _earliest(row: Appointment, status: AppointmentStatus, *, zone: ZoneInfo) -> datetime | None:
    """Return from when a status can be recorded: that somebody is there on the local day, else the start."""
    if row.starts_at is None or status == AppointmentStatus.CANCELLED:
        return None
    if status in HERE:
        return local_day_start(row.starts_at.astimezone(zone).date(), zone)
    return row.starts_at
