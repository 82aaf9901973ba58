"""Pure decisions of this service; time is an argument."""

from services.referral.rules import (
    acts,
    authorization,
    calendar,
    corrections,
    eligibility,
    identity,
    paying,
    priority,
    red_flags,
    standing,
    steps,
    triage,
    urgent,
    waiting,
    work,
)
