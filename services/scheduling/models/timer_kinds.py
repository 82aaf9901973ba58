"""The timers of scheduling: what falls due, and what `ref` names."""

from enum import StrEnum


class TimerKind(StrEnum):
    """guarantee-*: a referral; offer-time: a site; try-waiting: an appointment on the waitlist;
    recheck-visits, keep-forecast: a site.
    """

    AT_RISK = "guarantee-at-risk"
    DUE = "guarantee-due"
    SECOND_DUE = "guarantee-second-due"
    OFFER = "offer-time"
    TRY = "try-waiting"
    RECHECK = "recheck-visits"
    FORECAST = "keep-forecast"
