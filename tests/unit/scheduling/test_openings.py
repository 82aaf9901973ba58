"""Openings against the plain search: the same times, clinicians and rooms, one after the other."""

import random
from datetime import timedelta

import pytest

from services.scheduling import rules
from services.scheduling.models import Span
from tests.support.booking import MONDAY, a_clinic, a_person

_QUARTER = timedelta(minutes=15)


def some_spans(chance: random.Random, within: Span, *, most: int) -> list[Span]:
    quarters = (within.end - within.start) // _QUARTER
    starts = [within.start + _QUARTER * chance.randrange(quarters) for _ in range(chance.randrange(most + 1))]
    return [Span(start, start + _QUARTER * chance.randrange(1, 20)) for start in starts]


@pytest.mark.parametrize("seed", range(60))
def test_openings_give_what_the_plain_search_gives_while_times_are_taken(seed: int) -> None:
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
    keys = [rules.needs.person_key(one.id) for one in need.people] + [
        rules.needs.room_key(one.id) for one in need.rooms
    ]
    taken = {key: some_spans(chance, span, most=6) for key in keys if chance.random() < 0.8}
    openings = rules.openings.Openings(need, taken=taken, span=span)
    for _ in range(25):
        never = some_spans(chance, span, most=2) if chance.random() < 0.4 else []
        window = span
        if chance.random() < 0.4:
            window = Span(
                span.start + _QUARTER * chance.randrange(60), span.end - _QUARTER * chance.randrange(9)
            )
        plain = next(rules.candidates.in_order(need, taken=taken, never=never, window=window), None)
        assert openings.first(never=never, window=window) == plain
        if plain is not None:
            openings.take(plain)
            for key in (rules.needs.person_key(plain.person), rules.needs.room_key(plain.room)):
                taken.setdefault(key, []).append(plain.span)
