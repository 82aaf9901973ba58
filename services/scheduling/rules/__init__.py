"""Pure decisions of scheduling; time and the calendar are arguments."""

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.calendar import (
    DAY,
    is_on_a_calendar,
    local_day_end,
    local_day_start,
    meeting_spans,
    span_between,
    to_utc,
    working_spans,
)
from services.scheduling.rules.candidates import (
    Candidate,
    Need,
    candidates,
    free_spans,
    need_of,
    person_key,
    room_key,
    who_is_able,
)
from services.scheduling.rules.entitlement import (
    Entitlement,
    Grant,
    NoEntitlement,
    entitlement,
    inside_dates,
)
from services.scheduling.rules.guarantee import Clocks, FirstVisit, clocks, promise_status
from services.scheduling.rules.intervals import clipped, is_free, merged, subtracted, until_free
from services.scheduling.rules.moving import Blocked, place_at
from services.scheduling.rules.notice import BACKSTOP, NOTICE, STEP, first_window
from services.scheduling.rules.openings import Openings
from services.scheduling.rules.series import (
    NoSeries,
    Pace,
    PlannedSession,
    Week,
    describe_refusal,
    plan_series,
    series_windows,
    week_of,
)

__all__ = [
    "BACKSTOP",
    "DAY",
    "NOTICE",
    "STEP",
    "Blocked",
    "Candidate",
    "Clocks",
    "Entitlement",
    "FirstVisit",
    "Grant",
    "Need",
    "NoEntitlement",
    "NoSeries",
    "Openings",
    "Pace",
    "PlannedSession",
    "Span",
    "Taken",
    "Week",
    "candidates",
    "clipped",
    "clocks",
    "describe_refusal",
    "entitlement",
    "first_window",
    "free_spans",
    "inside_dates",
    "is_free",
    "is_on_a_calendar",
    "local_day_end",
    "local_day_start",
    "meeting_spans",
    "merged",
    "need_of",
    "person_key",
    "place_at",
    "plan_series",
    "promise_status",
    "room_key",
    "series_windows",
    "span_between",
    "subtracted",
    "to_utc",
    "until_free",
    "week_of",
    "who_is_able",
    "working_spans",
]
