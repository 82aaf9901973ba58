"""A series of several disciplines is planned week by week, or what is missing is named."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from services.scheduling.models.spans import Span, Taken
from services.scheduling.rules.needs import need_of
from services.scheduling.rules.series_search import CourseBounds, NoWeek, PlannedVisit, SeriesSearch
from services.scheduling.rules.series_strands import Occupied, Strand
from shared.clinic import Clinic, Discipline, Visit
from tests.support.booking import TORONTO, a_clinic, a_person, local

ZONE = ZoneInfo(TORONTO)
MONDAY = date(2026, 6, 1)
PT, OT, PSY = Discipline.PHYSIOTHERAPY, Discipline.OCCUPATIONAL_THERAPY, Discipline.PSYCHOLOGY


def the_clinic(*more: Mapping[str, Any], rooms: int = 3, **people: Mapping[str, Any]) -> Clinic:
    able = {
        "pat": a_person("pat", purpose=["session"]),
        "otto": a_person("otto", discipline=OT, purpose=["session"]),
        "sy": a_person("sy", discipline=PSY, purpose=["session"]),
    } | people
    return a_clinic(people=[a_person("ana", purpose=["first"]), *able.values(), *more], rooms=rooms)


def a_search(
    clinic: Clinic,
    *,
    per_week: Mapping[Discipline, int],
    weeks: int = 4,
    spare: int = 2,
    start: date = MONDAY,
    taken: Taken | None = None,
    patient: Sequence[Span] = (),
    days: int | None = None,
    hours: int | None = None,
    programme: str | None = None,
    minutes: int = 45,
) -> SeriesSearch:
    window = Span(local(start, "00:00"), local(start + timedelta(weeks=weeks + spare), "00:00"))
    strands = [
        Strand(
            key=discipline,
            need=need_of(
                clinic,
                site_id="toronto",
                visit=Visit(minutes=minutes, discipline=discipline, room="treatment"),
                purpose="session",
                programme=programme,
            ),
            per_week=[count] * weeks,
            window=window,
        )
        for discipline, count in per_week.items()
    ]
    bounds = CourseBounds(days=[days] * weeks, hours=[hours] * weeks)
    occupied = Occupied(taken=taken or {}, patient=patient)
    return SeriesSearch(strands, bounds=bounds, window=window, occupied=occupied)


def whole(found: list[PlannedVisit] | NoWeek) -> list[PlannedVisit]:
    assert not isinstance(found, NoWeek), (found.strand.key, found.week)
    return found


def refused(found: list[PlannedVisit] | NoWeek) -> NoWeek:
    assert isinstance(found, NoWeek)
    return found


def starts_of(found: Sequence[PlannedVisit], discipline: Discipline) -> list[datetime]:
    return [visit.place.span.start.astimezone(ZONE) for visit in found if visit.strand.key == discipline]


def a_day(day: date) -> Span:
    return Span(local(day, "00:00"), local(day + timedelta(days=1), "00:00"))


class TestAWholeSeries:
    def test_has_what_every_week_of_the_course_asks_for(self) -> None:
        found = whole(a_search(the_clinic(), per_week={PT: 2, OT: 1, PSY: 1}).run())
        weeks = Counter(
            (visit.strand.key, visit.place.span.start.astimezone(ZONE).isocalendar().week) for visit in found
        )
        assert weeks == {(key, week): n for key, n in ((PT, 2), (OT, 1), (PSY, 1)) for week in range(23, 27)}

    def test_never_has_the_patient_in_two_places(self) -> None:
        one_hour = {"days": ["mon", "thu"], "start": "09:00", "end": "10:30", "purpose": ["session"]}
        narrow = the_clinic(
            pat=a_person("pat", **one_hour),
            otto=a_person("otto", discipline=OT, **one_hour),
            sy=a_person("sy", discipline=PSY, **one_hour),
        )
        found = whole(a_search(narrow, per_week={PT: 2, OT: 1, PSY: 1}).run())
        spans = [visit.place.span for visit in found]
        assert all(earlier.end <= later.start for earlier, later in pairwise(spans))

    def test_leaves_what_the_patient_has_alone(self) -> None:
        away = [a_day(MONDAY + timedelta(weeks=week)) for week in range(6)]
        found = whole(a_search(the_clinic(), per_week={PT: 1, OT: 1}, patient=away).run())
        assert all(visit.place.span.start.astimezone(ZONE).weekday() != 0 for visit in found)

    def test_keeps_weekdays_and_wall_clock_over_the_change_to_summer_time(self) -> None:
        found = whole(a_search(the_clinic(), per_week={PT: 2, OT: 1}, start=date(2026, 2, 23)).run())
        for discipline, count in ((PT, 2), (OT, 1)):
            walls = {(start.weekday(), start.time()) for start in starts_of(found, discipline)}
            assert len(walls) == count
        assert len({start.utcoffset() for start in starts_of(found, PT)}) == 2

    def test_lies_days_apart_where_the_calendar_has_that(self) -> None:
        found = starts_of(whole(a_search(the_clinic(), per_week={PT: 2}).run()), PT)
        assert all((later.date() - earlier.date()).days >= 3 for earlier, later in pairwise(found))

    def test_stays_with_one_clinician_of_each_discipline(self) -> None:
        clinic = the_clinic(a_person("pia", purpose=["session"]), a_person("ole", discipline=OT))
        found = whole(a_search(clinic, per_week={PT: 2, OT: 1}).run())
        people = defaultdict(set)
        for visit in found:
            people[visit.strand.key].add(visit.place.person)
        assert {key: len(who) for key, who in people.items()} == {PT: 1, OT: 1}

    def test_takes_a_substitute_rather_than_a_week_more(self) -> None:
        clinic = the_clinic(a_person("pia", purpose=["session"]))
        away = {
            "person/pat": [a_day(MONDAY + timedelta(weeks=1, days=day)) for day in range(5)],
            "person/pia": [a_day(MONDAY + timedelta(weeks=2, days=day)) for day in range(5)],
        }
        found = whole(a_search(clinic, per_week={PT: 2, OT: 1}, taken=away).run())
        weeks = {start.isocalendar().week for start in starts_of(found, PT)}
        assert weeks == {23, 24, 25, 26}
        assert Counter(visit.place.person for visit in found if visit.strand.key == PT)["pia"] == 2

    def test_leaves_out_a_week_without_room(self) -> None:
        closed = {"person/sy": [a_day(MONDAY + timedelta(weeks=1, days=day)) for day in range(5)]}
        found = whole(a_search(the_clinic(), per_week={PT: 1, PSY: 1}, taken=closed).run())
        assert {start.isocalendar().week for start in starts_of(found, PT)} == {23, 25, 26, 27}

    def test_is_the_same_for_the_same_input(self) -> None:
        def planned() -> list[tuple[str, Span, str]]:
            found = whole(a_search(the_clinic(), per_week={PT: 2, OT: 1, PSY: 1}).run())
            return [(visit.strand.key, visit.place.span, visit.place.person) for visit in found]

        assert planned() == planned()

    def test_takes_a_room_that_is_free_for_each(self) -> None:
        rooms = {"room/treatment-1": [Span(local(MONDAY, "00:00"), local(date(2026, 8, 1), "00:00"))]}
        found = whole(a_search(the_clinic(rooms=2), per_week={PT: 2, OT: 1}, taken=rooms).run())
        assert {visit.place.room for visit in found} == {"treatment-2"}


class TestAnIntensiveWeek:
    def test_lies_on_so_many_days_and_inside_so_many_hours_of_each(self) -> None:
        search = a_search(the_clinic(), per_week={PT: 3, OT: 2, PSY: 1}, days=3, hours=3, minutes=60)
        days: dict[date, list[Span]] = defaultdict(list)
        for visit in whole(search.run()):
            days[visit.place.span.start.astimezone(ZONE).date()].append(visit.place.span)
        assert len(days) == 3 * 4
        for spans in days.values():
            assert max(span.end for span in spans) - min(span.start for span in spans) <= timedelta(hours=3)

    def test_uses_hours_that_are_kept_for_its_programme(self) -> None:
        kept = a_person("pat", purpose=["session"])
        kept["hours"][0]["programmes"] = ["rehab"]
        clinic = the_clinic(pat=kept)
        assert whole(a_search(clinic, per_week={PT: 5}, days=5, hours=6, programme="rehab").run())
        assert refused(a_search(clinic, per_week={PT: 5}, days=5, hours=6).run()).strand.key == PT

    def test_says_in_which_week_a_block_begins(self) -> None:
        busy = {"person/pat": [Span(local(MONDAY, "00:00"), local(date(2026, 6, 22), "00:00"))]}
        search = a_search(the_clinic(), per_week={PT: 5, OT: 3}, weeks=2, spare=6, days=5, taken=busy)
        assert search.earliest_block() == date(2026, 6, 22)

    def test_says_so_where_no_block_begins(self) -> None:
        busy = {"person/pat": [a_day(MONDAY + timedelta(weeks=week)) for week in range(8)]}
        search = a_search(the_clinic(), per_week={PT: 5}, weeks=2, spare=6, days=5, taken=busy)
        assert search.earliest_block() is None


class TestWhatIsMissing:
    def test_is_named_with_its_week(self) -> None:
        gone = {"person/sy": [Span(local(date(2026, 6, 15), "00:00"), local(date(2026, 9, 1), "00:00"))]}
        failed = refused(a_search(the_clinic(), per_week={PT: 2, PSY: 1}, taken=gone).run())
        assert (failed.strand.key, failed.week) == (PSY, date(2026, 6, 15))
        assert len(failed.planned) == 2 * 3

    def test_is_named_where_nobody_gives_it_at_all(self) -> None:
        gone = {"person/otto": [Span(local(MONDAY, "00:00"), local(date(2026, 9, 1), "00:00"))]}
        failed = refused(a_search(the_clinic(), per_week={PT: 2, OT: 1}, taken=gone).run())
        assert (failed.strand.key, failed.week, list(failed.planned)) == (OT, MONDAY, [])
