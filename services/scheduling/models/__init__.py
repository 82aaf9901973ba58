"""What scheduling keeps, and the words in which it speaks of time."""

from services.scheduling.models import (
    appointment_change,
    calendar_days,
    conflicts,
    correction,
    guarantees,
    rows,
    spans,
    tables,
    timer_kinds,
)
