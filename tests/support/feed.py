"""Readers of the live feed, and the stream of one of them, read frame by frame."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from services.notifications.api.feed_stream import LiveFeed
from shared.auth.principal import PartyKind, Principal
from shared.auth.scopes import Scopes
from shared.runtime import Runtime

Hear = Callable[..., Awaitable[None]]
WITHIN = 30.0


def a_reader(party: PartyKind, **names: str) -> Principal:
    """Make a reader of this party."""
    return Principal(client=party, party=party, scopes=Scopes.parse([]), **names)  # type: ignore[arg-type]


COORDINATOR = a_reader("coordinator", site="toronto")
REFERRER = a_reader("referrer", organization="family-practice")
OTHER_REFERRER = a_reader("referrer", organization="second-practice")
INSURER = a_reader("insurer", organization="workplace-insurer")
OTHER_INSURER = a_reader("insurer", organization="motor-insurer")
PHYSIATRIST = a_reader("clinician", practitioner="physiatrist", site="toronto")
PSYCHOLOGIST = a_reader("clinician", practitioner="psychologist", site="toronto")
OPERATOR = a_reader("operator")


class Reading:
    """A stream being read; frames come parsed as (id, event, data)."""

    def __init__(self, runtime: Runtime, reader: Principal, seen: int | None = -1) -> None:
        self.ending = asyncio.Event()
        self._frames = LiveFeed(runtime, reader=reader, ending=self.ending).frames(seen)

    async def up_to_now(self) -> list[str]:
        """Name the events up to where the stream says that this was all."""
        events = []
        while (frame := await self.frame()) != b": now\n\n":
            events += [line[7:] for line in frame.decode().split("\n") if line.startswith("event: ")]
        return events

    async def next(self) -> tuple[int, str, dict[str, Any]]:
        """Read up to the next entry."""
        while True:
            frame = await self.frame()
            if not frame.startswith(b":"):
                fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
                return int(fields["id"]), fields["event"], msgspec.json.decode(fields["data"])

    async def rest(self) -> list[str]:
        """End the stream and name the events of what still came."""
        self.ending.set()
        frames = [frame async for frame in self._frames]
        return [
            line[7:] for frame in frames for line in frame.decode().split("\n") if line.startswith("event: ")
        ]

    async def close(self) -> None:
        """Hang up."""
        await self._frames.aclose()

    async def frame(self) -> bytes:
        """Read the next frame as it is."""
        return await asyncio.wait_for(anext(self._frames), timeout=WITHIN)
