"""Hours that are kept for first visits, and open to others so many days ahead."""

from datetime import date, datetime, timedelta

import pytest

from services.scheduling import rules
from services.scheduling.models.spans import Span
from services.scheduling.rules.needs import Need
from shared.clinic import Clinic
from tests.support.booking import a_clinic, a_person, local

# A Monday, and the Friday of the week after.
MONDAY, FRIDAY = date(2026, 6, 1), date(2026, 6, 12)


def clinic(release_days: int | None) -> Clinic:
    ana = a_person("ana", purpose=["first"])
    if release_days is not None:
        ana["hours"][0]["release_days"] = release_days
    ben = a_person("ben", days=["mon"], purpose=["session"])
    return a_clinic(people=[ana, ben])


def need_of_session(described: Clinic, at: datetime) -> Need:
    visit = described.programme("rehab").sessions
    assert visit is not None
    need = rules.needs.need_of(described, site_id="toronto", visit=visit, purpose="session")
    return need.as_of(at)


def hours(described: Clinic, *, on: date, at: datetime) -> list[Span]:
    whole = Span(local(on, "00:00"), local(on + timedelta(days=1), "00:00"))
    return need_of_session(described, at).works(described.person("ana"), window=whole)


@pytest.mark.parametrize(
    ("release_days", "day", "is_open"),
    [(None, MONDAY, False), (0, MONDAY, True), (0, FRIDAY, False), (10, FRIDAY, False), (11, FRIDAY, True)],
)
def test_a_session_takes_them_from_so_many_days_ahead(
    release_days: int | None, day: date, is_open: bool
) -> None:
    assert bool(hours(clinic(release_days), on=day, at=local(MONDAY, "08:00"))) is is_open


def test_the_day_of_the_site_counts_and_not_that_of_the_universal_time() -> None:
    described = clinic(0)
    late = local(MONDAY, "23:30")
    assert late.date() > MONDAY
    assert hours(described, on=MONDAY, at=late)
    assert not hours(described, on=MONDAY + timedelta(days=1), at=late)


def test_a_visit_that_was_booked_in_them_fits_however_the_days_pass() -> None:
    described = clinic(2)
    reasons = rules.calendar.working_spans(
        described.person("ana"),
        site=described.site("toronto"),
        purpose="session",
        window=Span(local(FRIDAY, "09:00"), local(FRIDAY, "09:45")),
        today=FRIDAY,
    )
    assert reasons == [Span(local(FRIDAY, "09:00"), local(FRIDAY, "09:45"))]
