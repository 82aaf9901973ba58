"""Case meetings: scheduled by the clinic's calendar, led by the chair, one file per verb."""

from services.careteam.use_cases.meetings.close import close_meeting, meeting_is_over
from services.careteam.use_cases.meetings.decide import decide_case
from services.careteam.use_cases.meetings.lead import open_meeting, publish_agenda, sign_minutes
from services.careteam.use_cases.meetings.schedule import (
    CALENDAR,
    MEETING_OVER,
    PUBLISH_AGENDA,
    schedule_next_meeting,
    start_calendar,
)

__all__ = [
    "CALENDAR",
    "MEETING_OVER",
    "PUBLISH_AGENDA",
    "close_meeting",
    "decide_case",
    "meeting_is_over",
    "open_meeting",
    "publish_agenda",
    "schedule_next_meeting",
    "sign_minutes",
    "start_calendar",
]
