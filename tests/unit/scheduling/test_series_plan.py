"""A whole series is planned over the wall clock, or the session that fails is named."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from services.scheduling import rules
from services.scheduling.models.grants import GrantedSessions
from services.scheduling.models.rows import Funding
from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.series import Candidate, NoSeries
from shared.clinic import Clinic
from tests.support.booking import TORONTO, a_clinic, a_person, local

ZONE = ZoneInfo(TORONTO)
MONDAY = date(2026, 6, 1)


def plan(
    clinic: Clinic,
    *,
    count: int,
    weeks: int = 6,
    start: date = MONDAY,
    taken: Taken | None = None,
    already: Mapping[rules.series.Week, int] | None = None,
) -> list[Candidate] | NoSeries:
    visit = clinic.programme("rehab").sessions
    assert visit is not None
    window = Span(local(start, "00:00"), local(start + timedelta(weeks=weeks), "00:00"))
    return rules.series.plan(
        rules.needs.need_of(clinic, site_id="toronto", visit=visit, purpose="session"),
        pace=rules.series.Pace(count=count, per_week=visit.per_week, already=already or {}),
        taken=taken or {},
        patient=(),
        window=window,
        spare=Span(window.start, window.end + timedelta(weeks=4)),
    )


def whole(planned: list[Candidate] | NoSeries) -> list[Candidate]:
    assert not isinstance(planned, NoSeries)
    return planned


def walls(planned: list[Candidate]) -> list[str]:
    return [f"{session.span.start.astimezone(ZONE):%a %H:%M}" for session in planned]


class TestPlanSeries:
    def test_keeps_the_same_two_weekdays_and_time(self) -> None:
        planned = whole(plan(a_clinic(), count=6))
        assert set(walls(planned)) == {"Mon 09:00", "Thu 09:00"}

    def test_keeps_the_wall_clock_over_the_change_to_summer_time(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue", "thu"], start="09:00", end="10:00")])
        planned = whole(plan(clinic, count=6, start=date(2026, 3, 2), weeks=3))
        assert [session.span.start.hour for session in planned] == [14, 14, 13, 13, 13, 13]
        assert {wall.split()[1] for wall in walls(planned)} == {"09:00"}

    def test_keeps_the_wall_clock_over_the_change_to_winter_time(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["fri"], start="09:00", end="10:00")])
        planned = whole(plan(clinic, count=2, start=date(2026, 10, 26), weeks=2))
        assert [session.span.start.hour for session in planned] == [13, 14]

    def test_has_at_most_so_many_in_a_local_week(self) -> None:
        planned = whole(plan(a_clinic(), count=9))
        weeks = Counter(session.span.start.astimezone(ZONE).isocalendar()[:2] for session in planned)
        assert max(weeks.values()) == 2

    def test_counts_sessions_that_stand_in_the_week_already(self) -> None:
        planned = whole(plan(a_clinic(), count=2, already={(2026, 23): 2}))
        assert all(session.span.start >= local(date(2026, 6, 8), "00:00") for session in planned)

    def test_stays_with_one_clinician_where_the_calendar_allows(self) -> None:
        clinic = a_clinic(people=[a_person("ana"), a_person("ben")])
        full = [Span(local(date(2026, 6, 9), "00:00"), local(date(2026, 6, 19), "00:00"))]
        planned = whole(plan(clinic, count=8, weeks=4, taken={"person/ana": full}))
        assert {session.person for session in planned} == {"ben"}

    def test_moves_a_single_session_where_one_day_is_closed(self) -> None:
        clinic = a_clinic(closed=[date(2026, 6, 11)])
        planned = whole(plan(clinic, count=8, weeks=4))
        assert len(planned) == 8

    def test_names_the_session_that_fails_and_three_other_times(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["tue"])])
        away = [Span(local(date(2026, 6, 16), "00:00"), local(date(2026, 6, 17), "00:00"))]
        refused = plan(clinic, count=3, weeks=3, taken={"person/ana": away})
        assert isinstance(refused, NoSeries)
        assert (refused.failed, refused.count) == (3, 3)
        days = [one.span.start.astimezone(ZONE).date() for one in refused.alternatives]
        assert days == [date(2026, 6, 23), date(2026, 6, 30), date(2026, 7, 7)]

    def test_never_lies_in_the_meeting_hour(self) -> None:
        clinic = a_clinic(people=[a_person("ana", days=["wed"], start="12:00", end="13:00")])
        assert isinstance(plan(clinic, count=1), NoSeries)


def a_funding(status: str, *, units: int | None = None) -> Funding:
    grants = [GrantedSessions(discipline="physiotherapy", units=units)]
    return Funding(referral_id=uuid4(), claim_id="claim", status=status, grants=grants)


class TestEntitlement:
    def test_units_bound_the_programme_and_the_programme_bounds_the_units(self) -> None:
        programme = a_clinic(sessions={"count": 12}).programme("rehab")
        for units, count in ((1, 1), (8, 8), (20, 12), (None, 12)):
            funding = a_funding("approved", units=units)
            found = rules.entitlement.entitled_to(
                programme, authorization_required=True, funding=funding, first_held=False
            )
            bounds = {"physiotherapy": rules.entitlement.SessionBounds(count=count)}
            assert found == rules.entitlement.Entitlement(by_discipline=bounds)

    def test_nothing_is_held_while_the_payer_has_not_granted(self) -> None:
        programme = a_clinic().programme("rehab")
        nothing = a_funding("approved", units=0)
        for funding in (None, nothing, *map(a_funding, ("pended", "denied", "cancelled"))):
            found = rules.entitlement.entitled_to(
                programme, authorization_required=True, funding=funding, first_held=True
            )
            assert isinstance(found, rules.entitlement.NoEntitlement)
