"""Whether a person may give an appointment another status now."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduling import states, texts
from services.scheduling.models import Appointment
from services.scheduling.rules.calendar import local_day_start
from services.scheduling.states import AppointmentStatus
from shared.errors import Conflict


class NotInThisState(Conflict):
    """The appointment's life cycle has no such step."""


class TooEarly(Conflict):
    """What is to be recorded has not happened yet."""


def check(row: Appointment, status: AppointmentStatus, *, now: datetime, zone: ZoneInfo) -> None:
    """Raise NotInThisState or TooEarly where a status cannot be recorded now."""
    old = AppointmentStatus(row.status)
    if old == AppointmentStatus.WAITLIST:
        raise NotInThisState(texts.ON_THE_WAITLIST, expression="Appointment.status")
    if not states.may(old, status):
        allowed = ", ".join(states.reachable(old)) or "nothing else"
        text = texts.NO_SUCH_STEP.format(old=old, new=status, allowed=allowed)
        raise NotInThisState(text, expression="Appointment.status")
    earliest = _earliest(row, status, zone=zone)
    if earliest is not None and now < earliest:
        text = texts.TOO_EARLY.format(status=status, earliest=earliest)
        raise TooEarly(text, expression="Appointment.status")


def _earliest(row: Appointment, status: AppointmentStatus, *, zone: ZoneInfo) -> datetime | None:
    """Return from when a status can be recorded: arrived on the local day, the rest from the start on."""
    if row.starts_at is None or status == AppointmentStatus.CANCELLED:
        return None
    if status == AppointmentStatus.ARRIVED:
        return local_day_start(row.starts_at.astimezone(zone).date(), zone)
    return row.starts_at
