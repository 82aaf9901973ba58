"""A resource as it came in: the bytes, the decoded members, and the entries of a Bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a received Bundle: its place, its fullUrl and request, and the resource where there is
    one.
    """

    index: int
    full_url: str | None
    method: str | None
    url: str | None
    if_none_exist: str | None
    resource: "Received | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A resource that passed the border: `raw` as received (UTF-8 JSON), `data` decoded, never to be changed.

    For a Bundle, `entries` holds its entries with the bytes of each resource cut from the Bundle's own.
    """

    resource_type: str
    data: Mapping[str, Any]
    raw: bytes = field(repr=False)
    entries: tuple[Entry, ...] = ()
