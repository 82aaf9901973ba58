"""How many first visits a day holds, from hours, rooms and what is taken."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules import day_book
from services.scheduling.rules.day_book import BookedDays
from services.scheduling.rules.needs import need_of, person_key, room_key
from tests.support.booking.place import MONDAY, a_clinic, a_person

HOUR = timedelta(hours=1)
MON = date(2026, 6, 1)


def visits(
    *, taken: Taken | None = None, rooms: int = 2, days: int = 1, closed: Sequence[date] = (), **more: Any
) -> list[int]:
    """Count what is free from Monday on, of somebody who works Monday and Tuesday from eight to twelve."""
    person = a_person("ana", **{"days": ("mon", "tue"), "start": "08:00", "end": "12:00", **more})
    clinic = a_clinic(people=[person], rooms=rooms, closed=closed)
    need = need_of(clinic, site_id="toronto", visit=clinic.programmes[0].first, purpose="first")
    looked = BookedDays(needs={"rehab": need}, days=[MON + timedelta(days=n) for n in range(days)])
    book = day_book.book_of(looked, taken=taken or {})
    return [book.free["physiotherapy", day] for day in looked.days]


def at(hour: float, length: float = 1) -> Span:
    start = MONDAY + HOUR * (hour - 8)
    return Span(start, start + HOUR * length)


class TestADay:
    def test_holds_as_many_visits_as_fit_into_the_hours(self) -> None:
        assert visits(days=3) == [4, 4, 0]

    def test_holds_one_less_for_a_visit_and_two_for_one_between_two(self) -> None:
        assert visits(taken={person_key("ana"): [at(8)]}) == [3]
        assert visits(taken={person_key("ana"): [at(8.5)]}) == [2]

    def test_holds_no_more_than_its_rooms(self) -> None:
        assert visits(rooms=1, taken={room_key("assessment-1"): [at(8, 3)]}) == [1]
        assert visits(rooms=2, taken={room_key("assessment-1"): [at(8, 3)]}) == [4]

    def test_counts_hours_for_first_visits_only(self) -> None:
        assert visits(purpose=("session",)) == [0]

    def test_counts_no_closed_day_and_no_absence(self) -> None:
        assert visits(absences=[(MON, MON)], days=2) == [0, 4]
        assert visits(closed=[MON], days=2) == [0, 4]
