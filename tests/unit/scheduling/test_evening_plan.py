"""The plan of an evening: what it may never do, whatever waits and whatever is free."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling.models.demand import (
    DayBook,
    ExpectedArrivals,
    Outlook,
    PlanTerms,
    Terms,
    Told,
    Unscheduled,
)
from services.scheduling.rules import carve_out, evening_plan
from services.scheduling.rules.linear_program import NotOptimal, Program

TODAY = date(2026, 3, 2)
DAY = timedelta(days=1)
TERMS = PlanTerms(
    priorities={
        "asap": Terms(days=5, weight=20, reserve=0.16, kept_until=1, more=1.4),
        "urgent": Terms(days=10, weight=5, reserve=0.26, kept_until=3, more=1.1),
        "routine": Terms(days=28, weight=1),
    }
)
NOBODY = ExpectedArrivals(by_day={}, priorities={}, needs={})


def book(*free: int, need: str = "pt") -> DayBook:
    """A clinic of one group that has so many visits free on the days from tomorrow on."""
    days = {("a", TODAY + DAY * (number + 1)): visits for number, visits in enumerate(free)}
    return DayBook(groups={need: ("a",)}, free=days, whole=days, is_working=lambda day: day.weekday() < 5)


def who(id: str = "r1", priority: str = "routine", *, sent: int = 0, **more: object) -> Unscheduled:
    """A referral that was sent so many days ago."""
    sent_on = TODAY - DAY * sent
    values = {
        "id": id,
        "priority": priority,
        "need": "pt",
        "sent_on": sent_on,
        "due_on": sent_on + DAY * TERMS.priorities[priority].days,
        "since": sent_on,
    }
    return Unscheduled(**{**values, **more})  # type: ignore[arg-type]


def evening(*waiting: Unscheduled, of: DayBook, expected: ExpectedArrivals = NOBODY) -> dict[str, Told]:
    """Plan and tell."""
    planned = evening_plan.plan(waiting, of, expected, terms=TERMS, today=TODAY)
    told = evening_plan.told(waiting, planned, of, terms=TERMS, today=TODAY)
    return {one.id: one for one in told}


waiting = st.lists(
    st.builds(
        who,
        id=st.uuids().map(str),
        priority=st.sampled_from(["asap", "urgent", "routine"]),
        sent=st.integers(0, 40),
        notice=st.sampled_from([1, 3, 7]),
        can_come=st.sets(st.integers(0, 6), max_size=4).map(
            lambda never: lambda day: day.weekday() not in never
        ),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)
free = st.lists(st.integers(0, 3), min_size=1, max_size=60)


class TestAPlan:
    @given(waiting=waiting, free=free)
    @settings(max_examples=25, deadline=None)
    def test_never_gives_a_day_more_visits_than_it_has_free_or_somebody_a_day_that_does_not_suit(
        self, waiting: list[Unscheduled], free: list[int]
    ) -> None:
        of = book(*free)
        told = evening(*waiting, of=of)
        by_id = {one.id: one for one in waiting}
        for one in told.values():
            assert by_id[one.id].can_come(one.day)
            assert one.day >= TODAY + DAY * max(1, by_id[one.id].notice)
        for (group, day), visits in of.free.items():
            assert sum((one.group, one.day) == (group, day) for one in told.values()) <= visits

    @given(waiting=waiting, free=free)
    @settings(max_examples=8, deadline=None)
    def test_is_the_same_for_the_same_input(self, waiting: list[Unscheduled], free: list[int]) -> None:
        assert evening(*waiting, of=book(*free)) == evening(*waiting, of=book(*free))

    def test_lets_a_routine_referral_wait_for_the_urgent_ones_that_are_expected(self) -> None:
        coming = ExpectedArrivals(
            by_day={TODAY + DAY: 2.0},
            priorities={"asap": 1.0, "urgent": 0.0, "routine": 0.0},
            needs={"pt": 1},
        )
        of = book(0, 2, 0, 0, 0, 0, 2)
        late = who(sent=2, since=TODAY - DAY * 4)
        assert evening(late, of=of)[late.id].day == TODAY + DAY * 2
        assert evening(late, of=of, expected=coming)[late.id].day == TODAY + DAY * 7

    def test_gives_the_last_day_in_time_to_whom_it_is_the_last(self) -> None:
        soon, later = who("soon", sent=22), who("later", sent=2)
        told = evening(soon, later, of=book(0, 0, 0, 1, 0, 0, 0, 1))
        assert told["soon"].day == TODAY + DAY * 4

    def test_leaves_a_second_try_before_the_due_day(self) -> None:
        """Nobody comes to one visit in ten: a visit on the last day has no second try."""
        one = who("one", "urgent", sent=2)
        assert evening(one, of=book(0, 0, 0, 1, 0, 0, 0, 1))[one.id].day == TODAY + DAY * 4


class TestWhoIsLate:
    def evening(self, *waiting: Unscheduled, of: DayBook) -> evening_plan.Evening:
        return evening_plan.evening(
            Outlook(book=of, waiting=waiting, expected=NOBODY, terms=TERMS, today=TODAY)
        )

    def test_is_whom_the_plan_gives_a_day_behind_the_due_day_or_none(self) -> None:
        free = [0] * 40
        free[20] = free[34] = 1
        found = self.evening(who("soon", sent=1), who("later"), who("last"), of=book(*free))
        assert sorted(found.is_late.values()) == [False, True, True]
        assert found.is_late["soon"] is False

    def test_is_nobody_whom_the_evening_tells_a_day_or_that_there_is_none(self) -> None:
        near, gone = who("near", sent=10), who("gone", sent=20, since=TODAY - DAY * 20)
        found = self.evening(near, gone, of=book(0, 1))
        assert {one.id for one in found.told} | {one.id for one in found.unplaced} == {"near", "gone"}
        assert found.is_late == {}

    def test_is_nobody_without_a_plan(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(self: Program, *, iterations: int) -> list[float]:
            raise NotOptimal("Iteration limit reached")

        monkeypatch.setattr(Program, "solved", fail)
        found = self.evening(who(), of=book())
        assert (found.failure, found.is_late) == ("Iteration limit reached", {})


class TestTelling:
    def test_waits_two_working_days_for_a_better_plan_where_the_day_is_far(self) -> None:
        friday = date(2026, 2, 27)
        far = TODAY + DAY * 20
        of = book()
        assert not evening_plan.is_to_tell(who(since=friday), far, today=TODAY, book=of, terms=TERMS)
        assert evening_plan.is_to_tell(who(since=friday), far, today=TODAY + DAY, book=of, terms=TERMS)

    def test_does_not_wait_where_the_day_is_near_or_the_patient_needs_notice_now(self) -> None:
        of = book()
        near, noticed = TODAY + DAY * 5, TODAY + DAY * 7
        assert evening_plan.is_to_tell(who(), near, today=TODAY, book=of, terms=TERMS)
        assert not evening_plan.is_to_tell(who(), noticed, today=TODAY, book=of, terms=TERMS)
        assert evening_plan.is_to_tell(who(notice=7), noticed, today=TODAY, book=of, terms=TERMS)

    def test_gives_a_late_day_rather_than_none_to_whom_the_plan_gave_none(self) -> None:
        late = who("late", sent=60)
        assert evening(late, of=book(*[0] * 30, 1))[late.id].day == TODAY + DAY * 31


class TestAtOnce:
    @given(left=st.integers(1, 5), priority=st.sampled_from(["asap", "urgent", "routine"]))
    def test_never_lets_who_has_five_days_or_fewer_wait_for_the_evening_while_a_day_is_free_in_time(
        self, left: int, priority: str
    ) -> None:
        of = book(*[0] * (left - 1), 1)
        one = who(priority=priority, due_on=TODAY + DAY * left)
        given = evening_plan.at_once(one, of, terms=TERMS, today=TODAY)
        assert given == Told(id=one.id, group="a", day=TODAY + DAY * left)

    def test_gives_nothing_to_who_has_more_days_left(self) -> None:
        one = who(due_on=TODAY + DAY * 6)
        assert evening_plan.at_once(one, book(1), terms=TERMS, today=TODAY) is None

    def test_gives_the_earliest_day_at_all_to_the_most_urgent_and_leaves_the_others_to_the_plan(self) -> None:
        of = book(*[0] * 9, 1)
        late = TODAY + DAY * 2
        urgent = evening_plan.at_once(who("u", "asap", due_on=late), of, terms=TERMS, today=TODAY)
        assert urgent == Told(id="u", group="a", day=TODAY + DAY * 10)
        assert evening_plan.at_once(who(due_on=late), of, terms=TERMS, today=TODAY) is None


class TestTheCarveOut:
    def test_keeps_a_part_of_a_day_for_higher_priorities_until_it_is_near(self) -> None:
        of = book(4, 4, 4, 4, 4)
        days = {
            priority: carve_out.earliest(
                who(priority=priority), of, terms=TERMS, today=TODAY, until=TODAY + DAY * 5
            )
            for priority in TERMS.priorities
        }
        assert {code: (one.day - TODAY).days for code, one in days.items() if one} == {
            "asap": 1,
            "urgent": 1,
            "routine": 1,
        }
        full = book(0, 1, 1, 1, 2)
        whole = book(4, 4, 4, 4, 4)
        of = DayBook(groups=full.groups, free=full.free, whole=whole.free, is_working=full.is_working)
        found = {
            priority: carve_out.earliest(
                who(priority=priority), of, terms=TERMS, today=TODAY, until=TODAY + DAY * 5
            )
            for priority in TERMS.priorities
        }
        assert {code: one and (one.day - TODAY).days for code, one in found.items()} == {
            "asap": 2,
            "urgent": 5,
            "routine": None,
        }


class TestTheSolver:
    def test_says_so_where_it_ends_without_an_optimal_plan(self) -> None:
        program = Program()
        places = [program.place(1) for _ in range(30)]
        for _ in range(30):
            demand = program.demand(1)
            for number, place in enumerate(places):
                program.allow(demand, place, 1 + number % 7)
        with pytest.raises(NotOptimal):
            program.solved(iterations=1)
        assert sum(program.solved(iterations=100_000)) == pytest.approx(30)

    def test_has_no_plan_for_nothing(self) -> None:
        assert Program().solved(iterations=1) == []
