"""Pure decisions of this service; time is an argument."""

from services.referral.rules import (
    acts,
    authorization,
    calendar,
    eligibility,
    identity,
    paying,
    red_flags,
    steps,
    triage,
    work,
)
