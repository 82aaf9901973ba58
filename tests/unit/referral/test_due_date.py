"""By which local day a referral must be seen: over weekends, closed days, changes of clocks and years."""

from datetime import date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from services.referral import rules
from services.referral.models.rows import Referral
from tests.unit.referral.builders import CLINIC

SITE = CLINIC.sites[0]


def wall(text: str) -> datetime:
    """Read a wall-clock time of the site."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Toronto"))


def due(priority: str, sent: str) -> str:
    return rules.due_date.counted(priority, since=wall(sent), site=SITE, clinic=CLINIC).isoformat()


@pytest.mark.parametrize(
    ("priority", "sent", "expected"),
    [
        ("routine", "2026-03-02T09:00", "2026-03-30"),
        ("urgent", "2026-03-02T09:00", "2026-03-12"),
        ("asap", "2026-03-02T09:00", "2026-03-07"),
        # Late in the evening it is the next day in UTC already.
        ("asap", "2026-03-02T23:30", "2026-03-07"),
        # The clocks change on 8 March and on 1 November.
        ("asap", "2026-03-05T23:30", "2026-03-10"),
        ("urgent", "2026-10-28T23:30", "2026-11-07"),
        # Over the end of a year, and over a leap day.
        ("urgent", "2026-12-28T12:00", "2027-01-07"),
        ("routine", "2028-02-10T12:00", "2028-03-09"),
        # What is no priority is routine.
        ("soon", "2026-03-02T09:00", "2026-03-30"),
    ],
)
def test_counts_local_days_from_the_day_of_sending(priority: str, sent: str, expected: str) -> None:
    assert due(priority, sent) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-03-02T09:00", "2026-03-02"),
        # Hours end at 16:00 on Fridays and at 18:00 on Tuesdays; a visit is told two hours ahead.
        ("2026-03-06T13:59", "2026-03-06"),
        ("2026-03-06T14:00", "2026-03-09"),
        ("2026-03-06T17:00", "2026-03-09"),
        ("2026-03-03T15:59", "2026-03-03"),
        ("2026-03-03T16:00", "2026-03-04"),
        ("2026-03-03T23:30", "2026-03-04"),
        ("2026-03-07T08:00", "2026-03-09"),
        ("2026-03-08T23:30", "2026-03-09"),
        # Labour Day, and the days around Christmas and New Year on which the site is closed.
        ("2026-09-04T17:00", "2026-09-08"),
        ("2026-09-07T09:00", "2026-09-08"),
        ("2026-12-24T20:00", "2026-12-29"),
        ("2026-12-31T20:00", "2027-01-04"),
    ],
)
def test_at_once_is_the_same_working_day_where_there_is_time_left_else_the_next(
    sent: str, expected: str
) -> None:
    assert due("stat", sent) == expected


def a_referral(priority: str, *, due_on: date) -> Referral:
    return Referral(
        patient_id=uuid4(),
        requester="family-practice",
        sender="family-practice",
        sent_at=wall("2026-03-02T09:00"),
        due_on=due_on,
        site=SITE.id,
        turn="clinic",
        priority=priority,
    )


@pytest.mark.parametrize(
    ("before", "priority", "due_on", "after_days", "expected"),
    [
        # Raised on the day of sending, later, and so late that the old day is the nearer one.
        ("routine", "urgent", date(2026, 3, 30), 0, "2026-03-12"),
        ("routine", "urgent", date(2026, 3, 30), 14, "2026-03-26"),
        ("routine", "urgent", date(2026, 3, 30), 22, "2026-03-30"),
        ("routine", "stat", date(2026, 3, 30), 22, "2026-03-24"),
        # Lowered: the days of the new priority, from the sending.
        ("asap", "routine", date(2026, 3, 7), 2, "2026-03-30"),
        ("asap", "urgent", date(2026, 3, 7), 2, "2026-03-12"),
    ],
)
def test_of_another_priority_comes_nearer_or_is_that_of_the_lower_one(
    before: str, priority: str, due_on: date, after_days: int, expected: str
) -> None:
    referral = a_referral(priority, due_on=due_on)
    at = referral.sent_at + timedelta(days=after_days)
    found = rules.due_date.after_change(referral, before=before, at=at, clinic=CLINIC)
    assert found.isoformat() == expected
