"""Pure decisions of this service; time is an argument."""

from services.referral.rules import (
    acts,
    authorization,
    calendar,
    corrections,
    due_date,
    eligibility,
    identity,
    overdue,
    paying,
    priority,
    red_flags,
    start_back,
    steps,
    triage,
    urgent,
    waiting,
    work,
)
