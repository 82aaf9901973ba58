"""What scheduling keeps, and the words in which it speaks of time."""

from services.scheduling.models import (
    appointment_change,
    calendar_days,
    conflicts,
    correction,
    demand,
    guarantees,
    rows,
    spans,
    tables,
    timer_kinds,
)
