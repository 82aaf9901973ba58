"""What is found for a visit of any kind: inside hours, outside what is taken, and what can then be booked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.scheduling import rules
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate, Openings
from services.scheduling.rules.intervals import merged, subtracted
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.needs import Need
from shared.ids import new_id
from tests.support.booking import MONDAY, a_clinic, a_person

_QUARTER = timedelta(minutes=15)
WEEK = Span(MONDAY, MONDAY + timedelta(days=3))
PEOPLE = [
    a_person("ana", end="13:00"),
    a_person("ben", start="11:00"),
    a_person("zoe", discipline="psychology", start="10:00", end="15:00"),
    a_person("yan", discipline="psychology", days=["mon", "wed"]),
]
KEYS = ["person/ana", "person/ben", "person/zoe", "person/yan", "room/assessment-1", "room/assessment-2"]
KEYS += ["device/scanner-1", "device/scanner-2"]


def visit(**said: Any) -> dict[str, Any]:
    usual = {
        "id": "v",
        "name": "V",
        "kind": "procedure",
        "minutes": 30,
        "disciplines": ["physiotherapy"],
        "room": "assessment",
    }
    return usual | said


def need_of(asked: Mapping[str, Any]) -> Need:
    scanners = [{"id": f"scanner-{number}", "name": "S", "kind": "scanner"} for number in (1, 2)]
    clinic = a_clinic(people=PEOPLE, visits=[asked], equipment=scanners, team=["physiotherapy", "psychology"])
    [named] = clinic.programme("rehab").visits
    return rules.needs.need_of_type(clinic, site_id="toronto", visit=named)


needs = st.builds(
    lambda **said: need_of(visit(**said)),
    minutes=st.sampled_from([15, 30, 60, 90]),
    disciplines=st.sampled_from([["physiotherapy"], ["physiotherapy", "psychology"], ["psychology"]]),
    equipment=st.sampled_from([[], ["scanner"]]),
    before=st.sampled_from([0, 15, 20]),
    after=st.sampled_from([0, 10, 30]),
)
spans = st.builds(
    lambda start, length: Span(WEEK.start + start * _QUARTER, WEEK.start + (start + length) * _QUARTER),
    st.integers(0, 72 * 4),
    st.integers(1, 30),
)
taken_times = st.dictionaries(st.sampled_from(KEYS), st.lists(spans, max_size=6), max_size=8)


def taken_of(one: Candidate) -> Iterable[tuple[str, Span]]:
    return ((key, one.taken) for key in one.resources)


def row_for(one: Candidate) -> Appointment:
    return Appointment(
        referral_id=new_id(),
        kind="procedure",
        status="booked",
        patient_id="p",
        programme="rehab",
        site="toronto",
        requester="practice",
        minutes=30,
        practitioner=one.person,
        colleagues=list(one.colleagues),
        room=one.room,
        equipment=list(one.equipment),
    )


@settings(max_examples=120, deadline=None)
@given(needs, taken_times, st.lists(spans, max_size=3))
def test_what_is_found_lies_in_hours_and_meets_nothing_that_is_taken(
    need: Need, taken: Mapping[str, Sequence[Span]], never: Sequence[Span]
) -> None:
    people = {person.id: person for group in (need.people, *need.colleagues) for person in group}
    for one in Openings(need, taken=taken, span=WEEK).in_order(never=never, window=WEEK):
        assert one.span.start.timestamp() % _QUARTER.total_seconds() == 0
        assert not any(one.span.meets(other) for other in never)
        assert not [1 for key, span in taken_of(one) for other in taken.get(key, ()) if span.meets(other)]
        for person_id in (one.person, *one.colleagues):
            assert need.works(people[person_id], window=one.taken) == [one.taken]
        assert len({one.person, *one.colleagues}) == 1 + len(need.colleagues)


@settings(max_examples=60, deadline=None)
@given(needs, taken_times)
def test_what_is_found_can_be_booked_with_the_same_people_room_and_equipment(
    need: Need, taken: Mapping[str, Sequence[Span]]
) -> None:
    for one in Openings(need, taken=taken, span=WEEK).in_order(window=WEEK):
        placed = rules.moving.place_at(one.span, row_for(one), need=need, taken=taken)
        assert placed == one


@settings(max_examples=60, deadline=None)
@given(needs, taken_times)
def test_what_is_not_found_of_a_clinician_cannot_be_booked_with_them(
    need: Need, taken: Mapping[str, Sequence[Span]]
) -> None:
    found = {
        (one.span.start, one.person) for one in Openings(need, taken=taken, span=WEEK).in_order(window=WEEK)
    }
    person = need.people[0]
    for number in range(0, 36 * 4, 3):
        start = WEEK.start + number * _QUARTER
        row = row_for(Candidate(person=person.id, room=None, span=WEEK))
        row.colleagues, row.equipment = [], []
        try:
            rules.moving.place_at(Span(start, start + need.length), row, need=need, taken=taken)
        except CannotMove:
            assert (start, person.id) not in found
        else:
            assert (start, person.id) in found


@settings(max_examples=40, deadline=None)
@given(needs, taken_times)
def test_taking_one_after_the_other_never_takes_anything_twice(
    need: Need, taken: Mapping[str, Sequence[Span]]
) -> None:
    openings = Openings(need, taken=taken, span=WEEK)
    held: dict[str, list[Span]] = {key: list(times) for key, times in taken.items()}
    for _ in range(12):
        one = openings.first(window=WEEK)
        if one is None:
            break
        for key, span in taken_of(one):
            assert not any(span.meets(other) for other in held.get(key, ()))
            held.setdefault(key, []).append(span)
        openings.take(one)


@settings(max_examples=200, deadline=None)
@given(st.lists(spans, max_size=8), st.lists(spans, max_size=8))
def test_what_is_left_of_a_time_and_what_is_taken_share_no_moment_and_are_all_of_it(
    base: Sequence[Span], cuts: Sequence[Span]
) -> None:
    left = subtracted(base, cuts)
    assert not [1 for part in left for cut in cuts if part.meets(cut)]
    assert merged(
        [*left, *(Span(max(a.start, b.start), min(a.end, b.end)) for a in base for b in cuts)]
    ) == merged(base)
