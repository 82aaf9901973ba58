"""The timers of scheduling: what falls due, and what `ref` names."""

from enum import StrEnum


class TimerKind(StrEnum):
    """guarantee-*: a referral; offer-time: a site; try-waiting: an appointment on the waitlist;
    expire-hold: an appointment that is held; recheck-visits, look-at-visits, plan-first-visits,
    keep-forecast, ask-for-records: a site; book-planned-day: an appointment and the local day that was
    planned for it, as `id/2026-03-14`; ask-next: a freed time.
    """

    AT_RISK = "guarantee-at-risk"
    DUE = "guarantee-due"
    SECOND_DUE = "guarantee-second-due"
    OFFER = "offer-time"
    HOLD = "expire-hold"
    TRY = "try-waiting"
    RECHECK = "recheck-visits"
    LOOK = "look-at-visits"
    FORECAST = "keep-forecast"
    RECORD = "ask-for-records"
    ROUND = "ask-next"
    PLAN = "plan-first-visits"
    TELL = "book-planned-day"
