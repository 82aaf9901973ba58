"""Splitting a chunk of a batch whose transaction failed, so that what fails is alone and the rest goes on.

Invariant: the parts stand in the order in which they must be handled: of one key none overtakes another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.events.inbox.incoming import IncomingRecord

Errors = Mapping[IncomingRecord, Exception]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in a transaction, and at which of its events, None when only at the commit; or which of
    them came too early, by their place.
    """

    error: Exception
    at: int | None = None
    early: Mapping[int, Exception] = field(default_factory=dict)


def split(chunk: list[IncomingRecord], failure: Failure) -> list[list[IncomingRecord] | Errors]:
    """Split a failed chunk: what came before, the one that failed, what came after; or each alone."""
    if failure.early:
        return _split_early(chunk, failure.early)
    if len(chunk) == 1:
        return [{chunk[0]: failure.error}]
    if failure.at is None:
        return [[incoming] for incoming in chunk]
    at = failure.at
    return [part for part in (chunk[:at], [chunk[at]], chunk[at + 1 :]) if part]


def _split_early(
    chunk: list[IncomingRecord], early: Mapping[int, Exception]
) -> list[list[IncomingRecord] | Errors]:
    """Split a chunk: what stands behind nothing that came too early, what did, what follows on its keys."""
    keys: set[str] = set()
    errors: dict[IncomingRecord, Exception] = {}
    free: list[IncomingRecord] = []
    behind: list[IncomingRecord] = []
    for place, incoming in enumerate(chunk):
        if place in early:
            keys.add(incoming.key)
            errors[incoming] = early[place]
        else:
            (behind if incoming.key in keys else free).append(incoming)
    return [part for part in (free, errors, behind) if part]
