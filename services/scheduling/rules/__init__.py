"""Pure decisions of scheduling; time and the calendar are arguments."""

from services.scheduling.rules import (
    acts,
    board,
    calendar,
    candidates,
    conflicts,
    correction,
    entitlement,
    free_time,
    given_up,
    guarantee,
    intervals,
    moving,
    needs,
    notice,
    series,
    series_state,
    site_calendar,
    status_change,
)
