"""What scheduling keeps, and the words in which it speaks of time."""

from services.scheduling.models.appointment_change import AppointmentChange, CancellationReason
from services.scheduling.models.rows import (
    Appointment,
    Funding,
    Guarantee,
    GuaranteeOverview,
    Referral,
    Series,
)
from services.scheduling.models.spans import Span, Taken
from services.scheduling.models.tables import Base
from services.scheduling.models.timer_kinds import TimerKind

__all__ = [
    "Appointment",
    "AppointmentChange",
    "Base",
    "CancellationReason",
    "Funding",
    "Guarantee",
    "GuaranteeOverview",
    "Referral",
    "Series",
    "Span",
    "Taken",
    "TimerKind",
]
