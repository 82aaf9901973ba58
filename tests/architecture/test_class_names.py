"""A class has a name of its own within its house: who searches for it finds one thing."""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("referral", "scheduling", "careteam", "notifications")
OUR_ROOMS = {
    "shared": ["Event", "Guard"],
    "services/referral": ["Referral"],
    "services/careteam": ["Referral"],
}


def classes(of: str) -> list[str]:
    """Return the names of the public classes at the top of each file, migrations aside."""
    return [
        node.name
        for path in sorted((ROOT / of).rglob("*.py"))
        if "migrations" not in path.parts
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]


def repeated(rooms: Mapping[str, Iterable[str]]) -> list[str]:
    """Name what is there twice within `shared` or one service, or in a service and in `shared` too."""
    found = []
    ours = set(rooms["shared"])
    for room, names in rooms.items():
        found += [f"{room}: {name}" for name, times in Counter(names).items() if times > 1]
        if room != "shared":
            found += [f"{room} and shared: {name}" for name in sorted(ours & set(names))]
    return found


def test_no_class_name_is_there_twice() -> None:
    rooms = ("shared", *(f"services/{service}" for service in SERVICES))
    assert repeated({room: classes(room) for room in rooms}) == []


@pytest.mark.parametrize(
    ("room", "name", "told"),
    [
        ("shared", "Guard", "shared: Guard"),
        ("services/referral", "Referral", "services/referral: Referral"),
        ("services/careteam", "Event", "services/careteam and shared: Event"),
    ],
)
def test_a_planted_name_is_seen(room: str, name: str, told: str) -> None:
    assert repeated(OUR_ROOMS | {room: [*OUR_ROOMS[room], name]}) == [told]


def test_two_services_may_speak_of_the_same_thing() -> None:
    assert repeated(OUR_ROOMS) == []
