"""Watching a clinic while a fault lasts: the largest backlog, and what the consumers had handled before."""

import asyncio
import contextlib
import re
from types import TracebackType
from typing import Self

import httpx

from tests.failure.healing import waiting
from tests.failure.places.cluster import ClusterPlace
from tests.failure.places.place import AWAY

_LOOKS_EVERY = 1.0
_REPEATED = re.compile(r'^lumbar_events_handled\S*\{[^}]*outcome="repeated"[^}]*\} ([0-9.e+]+)', re.M)


class Watch:
    """Looks every second until the end of the block.

    `repeated` counts the events that a consumer was given once more; what a process had counted since the
    last look goes with it when it is killed, so it is a lower bound.
    """

    def __init__(self, place: ClusterPlace) -> None:
        self.backlog = 0
        self.repeated = 0
        self._place = place
        self._last: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as http:
            await self._count_all(http)
        self.repeated = 0
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        async with (
            httpx.AsyncClient(timeout=2, trust_env=False) as http,
            self._place.databases() as databases,
        ):
            while True:
                with contextlib.suppress(*AWAY):
                    self.backlog = max(self.backlog, await waiting(databases))
                await self._count_all(http)
                await asyncio.sleep(_LOOKS_EVERY)

    async def _count_all(self, http: httpx.AsyncClient) -> None:
        for target in self._place.targets:
            if "-worker-" in target:
                await self._count(target, http)

    async def _count(self, target: str, http: httpx.AsyncClient) -> None:
        try:
            answer = await http.get(f"{self._place.cluster.address(target)}/metrics")
        except httpx.HTTPError:
            self._last.pop(target, None)
            return
        now = sum(int(float(number)) for number in _REPEATED.findall(answer.text))
        before = self._last.get(target, 0)
        self.repeated += now - before if now >= before else now
        self._last[target] = now
