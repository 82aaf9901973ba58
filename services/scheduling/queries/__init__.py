"""Every SELECT, lock and claim of scheduling, and the row scopes.

The referral's row is locked first: it serialises everything about one referral.
"""

from services.scheduling.queries import (
    appointments,
    arrivals,
    attendance,
    board,
    calendar,
    calendar_links,
    directory,
    forecasts,
    given_up,
    group_sessions,
    guarantees,
    occupancy,
    offers,
    referrals,
    savepoints,
    scope,
    series,
    tasks,
    unavailable,
    visit_tasks,
    worklist,
)
