"""Counting round trips: every message to PostgreSQL that waits for an answer, by the database it went to.

with round_trips() as counted:
    ...
assert counted["scheduling"] <= 9
"""

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from asyncpg.protocol import Protocol

_CALLS = ("query", "prepare", "execute", "bind_execute", "bind_execute_many")


@contextmanager
def round_trips(*, within: Callable[[], bool] = lambda: True) -> Iterator[Counter[str]]:
    """Count them all while the block runs; `within` tells whether one counts."""
    counted: Counter[str] = Counter()
    with ExitStack() as patches:
        for name in _CALLS:
            counting = _counting(getattr(Protocol, name), counted, within)
            patches.enter_context(patch.object(Protocol, name, counting))
        yield counted


def _counting(
    original: Callable[..., Any], counted: Counter[str], within: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **named: Any) -> Any:
        if within():
            counted[original.__name__] += 1
        return original(self, *args, **named)

    return call
