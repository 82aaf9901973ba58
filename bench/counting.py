"""Counts every round trip to PostgreSQL at asyncpg's protocol, and says on whose behalf it was made.

Only measuring processes install this; the clinic knows nothing of it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from asyncpg.protocol import Protocol

from shared.events.inbox.handler_call import Handlers
from shared.events.inbox.handling import EventBatch
from shared.events.polling_loop import PollingLoop
from shared.http.middleware import RequestMiddleware

LABEL: ContextVar[str] = ContextVar("label", default="other")
WATCHING = "the measurement itself"
_CALLS = ("query", "prepare", "execute", "bind_execute", "bind_execute_many", "bind", "copy_in", "copy_out")

trips: Counter[tuple[str, str]] = Counter()


def install() -> None:
    """Count from now on, in this process and for good."""
    for name in _CALLS:
        setattr(Protocol, name, _counted(name, getattr(Protocol, name)))
    # setattr, because a type checker rightly refuses to have methods replaced.
    for owner, name, replaced in (
        (PollingLoop, "run", _labelled_loop(PollingLoop.run)),
        (
            RequestMiddleware,
            "__call__",
            _labelled(RequestMiddleware.__call__, lambda _, scope, *__: _of_request(scope)),
        ),
        (Handlers, "call_batch", _labelled(Handlers.call_batch, _of_run)),
        (Handlers, "call_each", _labelled(Handlers.call_each, _of_run)),
    ):
        setattr(owner, name, replaced)


def by_label() -> dict[str, int]:
    """Give the round trips of each command, handler and loop, without those of whoever measures."""
    found: Counter[str] = Counter()
    for (label, _), count in trips.items():
        if label != WATCHING:
            found[label] += count
    return dict(found)


def _of_run(handlers: Handlers, _: object, __: object, run: EventBatch) -> str:
    return f"{handlers.group} handles {run.types.pop() if len(run.types) == 1 else 'several together'}"


def _of_request(scope: Any) -> str:
    return f"{scope.get('method', '')} {scope.get('path', '')}" if scope["type"] == "http" else "other"


def _counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(self: Any, *values: Any, **options: Any) -> Any:
        trips[LABEL.get(), _text(name, values, options)] += 1
        return call(self, *values, **options)

    return counted


def _text(name: str, values: tuple[Any, ...], options: dict[str, Any]) -> str:
    places = [*values, *options.values()]
    given = places[1] if name == "prepare" else places[0]
    text = " ".join(str(getattr(given, "query", given)).split())
    return f"PREPARE {text}" if name == "prepare" else text


def _labelled(
    call: Callable[..., Awaitable[Any]], label: Callable[..., str]
) -> Callable[..., Awaitable[Any]]:
    async def labelled(*values: Any, **options: Any) -> Any:
        token = LABEL.set(label(*values, **options))
        try:
            return await call(*values, **options)
        finally:
            LABEL.reset(token)

    return labelled


def _labelled_loop(run: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def labelled(repetition: PollingLoop) -> None:
        task = asyncio.current_task()
        LABEL.set(task.get_name() if task is not None else repetition.name)
        await run(repetition)

    return labelled
