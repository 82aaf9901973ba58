"""What the nightly look reads of each referral."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralSnapshot:
    """Where a referral stands, since when, and who or what sees that it goes on.

    `visit_at` is when the first visit begins, as its Task last said; `urgent` says that clinicians are to
    decide. `clocks` are the timers that run for it, `work` the kinds of the clinic's open Tasks about the
    referral but the overdue one and those that wait for an answer: since `asked_at` the clinic's, since
    `asked_of_referrer_at` the referrer's; `told_at` is when the overdue one was opened, `first` the state of
    the one into which it was merged.
    """

    id: UUID
    state: str
    since: datetime
    programme: str | None = None
    visit_at: datetime | None = None
    unacknowledged: bool = False
    urgent: bool = False
    clocks: Sequence[str] = ()
    work: Sequence[str] = ()
    asked_at: datetime | None = None
    asked_of_referrer_at: datetime | None = None
    told_at: datetime | None = None
    first: str | None = None
