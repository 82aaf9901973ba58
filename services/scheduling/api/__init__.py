"""The HTTP border of scheduling: appointments, series, the guarantee, computed free time."""

from services.scheduling.api import (
    absences,
    appointments,
    attendance,
    calendar,
    calendar_links,
    desk,
    directory,
    examples,
    forecast,
    free_time,
    guarantee,
    reads,
    replanning,
    roster,
    tasks,
    worklist,
)
