"""Openings against a search that tries every quarter hour: the same times, clinicians and rooms."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from services.scheduling import rules
from services.scheduling.models.spans import Span
from services.scheduling.rules.candidates import Candidate
from tests.support.booking import MONDAY, a_clinic, a_person

_QUARTER = timedelta(minutes=15)


def some_spans(chance: random.Random, within: Span, *, most: int) -> list[Span]:
    quarters = (within.end - within.start) // _QUARTER
    starts = [within.start + _QUARTER * chance.randrange(quarters) for _ in range(chance.randrange(most + 1))]
    return [Span(start, start + _QUARTER * chance.randrange(1, 20)) for start in starts]


def tried_out(
    need: rules.needs.Need, *, taken: Mapping[str, Sequence[Span]], never: Sequence[Span], window: Span
) -> Candidate | None:
    """Try every quarter hour with every clinician, those with the fewest visits first, and every room."""
    people = sorted(need.people, key=lambda person: (len(taken.get(f"person/{person.id}", ())), person.id))
    hours = {
        person.id: rules.calendar.working_spans(person, site=need.site, purpose=need.purpose, window=window)
        for person in people
    }
    for number in range((window.end - window.start) // _QUARTER):
        start = window.start + _QUARTER * number
        span = Span(start, start + need.length)
        for person in people:
            busy = [*taken.get(f"person/{person.id}", ()), *never]
            if not any(each.start <= span.start and span.end <= each.end for each in hours[person.id]):
                continue
            for room in need.rooms:
                if not any(span.meets(other) for other in (*busy, *taken.get(f"room/{room.id}", ()))):
                    return Candidate(person=person.id, room=room.id, span=span)
    return None


@pytest.mark.parametrize("seed", range(60))
def test_openings_give_what_trying_out_gives_while_times_are_taken(seed: int) -> None:
    chance = random.Random(seed)
    people = [
        a_person(name, start=chance.choice(("08:00", "09:10")), end=chance.choice(("11:50", "17:00")))
        for name in ("ana", "ben", "cleo", "dora")
    ]
    clinic = a_clinic(people=people, rooms=chance.randrange(1, 4))
    need = rules.needs.need_of(
        clinic, site_id="toronto", visit=clinic.programme("rehab").first, purpose="first"
    )
    span = Span(MONDAY, MONDAY + timedelta(days=chance.choice((1, 2, 7))))
    keys = need.resources
    taken = {key: some_spans(chance, span, most=6) for key in keys if chance.random() < 0.8}
    openings = rules.candidates.Openings(need, taken=taken, span=span)
    for _ in range(25):
        never = some_spans(chance, span, most=2) if chance.random() < 0.4 else []
        window = span
        if chance.random() < 0.4:
            window = Span(
                span.start + _QUARTER * chance.randrange(60), span.end - _QUARTER * chance.randrange(9)
            )
        plain = tried_out(need, taken=taken, never=never, window=window)
        assert openings.first(never=never, window=window) == plain
        if plain is not None:
            openings.take(plain)
            for key in (rules.needs.person_key(plain.person), rules.needs.room_key(plain.room)):
                taken.setdefault(key, []).append(plain.span)
