"""What scheduling keeps, and the words in which it speaks of time."""

from services.scheduling.models import (
    appointment_change,
    booking,
    calendar_days,
    calendar_links,
    conflicts,
    correction,
    demand,
    forecasts,
    grants,
    guarantees,
    replanning,
    roster_changes,
    rows,
    series_change,
    site_counts,
    spans,
    tables,
    task_tables,
    timer_kinds,
)
