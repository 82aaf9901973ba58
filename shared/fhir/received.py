"""A resource as it came in: the bytes, the decoded members, and the entries of a Bundle."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """One entry of a received Bundle: its place, its fullUrl and request, and the resource where there is
    one.
    """

    index: int
    full_url: str | None
    method: str | None
    url: str | None
    if_none_exist: str | None
    resource: "Received | None"


class Received(Struct, frozen=True, kw_only=True):
    """A resource that passed the border: `raw` as received (UTF-8 JSON), `data` decoded, never to be changed.

    For a Bundle, `entries` holds its entries with the bytes of each resource cut from the Bundle's own, and
    `other_people` the places of the Patient entries whom no resource of it is about.
    """

    resource_type: str
    data: Mapping[str, Any]
    raw: bytes
    entries: tuple[Entry, ...] = ()
    other_people: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        return f"Received({self.resource_type})"
