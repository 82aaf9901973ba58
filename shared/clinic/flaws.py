"""What can be wrong in clinic.yaml, and where: names that stand twice, are not there, or are no address."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

Place = tuple[str | int, ...]


class Flaw(NamedTuple):
    """One thing that is wrong: where in the file, and what is allowed."""

    place: Place
    text: str


def twice(named: Iterable[tuple[Place, str]]) -> Iterator[Flaw]:
    """Find every name that stands a second time."""
    seen: set[str] = set()
    for place, name in named:
        if name in seen:
            yield Flaw(place, f"{name!r} is taken already; it must be different from the others")
        seen.add(name)


def known(place: Place, name: str, things: Iterable[str]) -> Iterator[Flaw]:
    """Find a name that is none of those allowed."""
    allowed = sorted(things)
    if name not in allowed:
        yield Flaw(place, f"there is no {name!r}; allowed are {', '.join(allowed) or 'none'}")


def https_url(url: str, place: Place) -> Iterator[Flaw]:
    """Find what is no https address of a host, with neither user nor fragment."""
    try:
        parts = urlsplit(url)
        named = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:
        yield Flaw(place, "is no address")
        return
    if not named or parts.username is not None or parts.fragment:
        yield Flaw(place, "must be https://host/path, without a user")
