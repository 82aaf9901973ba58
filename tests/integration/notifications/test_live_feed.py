"""The live feed read from its log: resumed anywhere, cut to the reader's scope at the moment of sending."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.notifications import handlers
from services.notifications.api.live import LiveFeed
from services.notifications.settings import Settings
from shared.act import Act, Actor
from shared.auth.principal import PartyKind, Principal
from shared.auth.scopes import Scopes
from shared.clinic import Clinic, load_clinic
from shared.clock import SimulatedClock
from shared.db import Database
from shared.events import log
from shared.events.envelope import Event
from shared.events.handling import Heard, Run
from shared.events.postgres import PostgresTransport
from shared.events.relay import Relay
from shared.events.topics import FEED
from shared.runtime import Runtime
from tests.support.news import (
    NOON,
    appointment_event,
    authorization_event,
    meeting_event,
    referral_event,
    team_event,
)

Hear = Callable[..., Awaitable[None]]


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    return load_clinic(Path(__file__).parents[3] / "examples" / "clinic.yaml")


@pytest.fixture
def runtime(notifications_db: Database, clinic: Clinic) -> Runtime:
    nobody: Any = None
    return Runtime(
        service="notifications",
        database=notifications_db,
        clock=SimulatedClock(NOON),
        clinic=clinic,
        transport=PostgresTransport({"notifications": notifications_db}),
        verifier=nobody,
        base_url="http://clinic.example",
    )


@pytest.fixture
async def hear(runtime: Runtime) -> AsyncIterator[Hear]:
    """Handle events and let the relay move what they left."""
    relay = Relay(runtime.database, runtime.transport)

    async def handle(*events: Event) -> None:
        for event in events:
            act = Act(at=NOON, actor=Actor.service("notifications"), cause=event.id)
            async with runtime.database.transaction() as tx:
                await handlers.on_events(tx, Run([Heard(event, act)]), settings=Settings.of(runtime))
        while await relay.step():
            pass

    yield handle
    await relay.stop()


def a_reader(party: PartyKind, **names: str) -> Principal:
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

    async def next(self) -> tuple[int, str, dict[str, Any]]:
        while True:
            frame = await asyncio.wait_for(anext(self._frames), timeout=5)
            if not frame.startswith(b":"):
                fields = dict(line.split(": ", 1) for line in frame.decode().strip().split("\n"))
                return int(fields["id"]), fields["event"], msgspec.json.decode(fields["data"])

    async def rest(self) -> list[str]:
        self.ending.set()
        frames = [frame async for frame in self._frames]
        return [
            line[7:] for frame in frames for line in frame.decode().split("\n") if line.startswith("event: ")
        ]


async def seen_by(runtime: Runtime, reader: Principal) -> list[str]:
    """Read all that stands in the log, up to its end."""
    reading = Reading(runtime, reader)
    extent = await log.extent(runtime.database, FEED)
    records = await log.read(runtime.database, FEED, offset=extent.first, limit=1000)
    frames = await LiveFeed(runtime, reader=reader, ending=reading.ending)._visible(records)
    return [frame.decode().split("event: ")[1].split("\n")[0] for frame in frames]


class TestTheFeed:
    async def test_shows_an_entry_as_soon_as_it_is_there(self, runtime: Runtime, hear: Hear) -> None:
        reading = Reading(runtime, COORDINATOR, seen=None)
        waiting = asyncio.create_task(reading.next())
        await asyncio.sleep(0)
        await hear(referral_event())
        number, event, data = await waiting
        assert (number, event) == (0, "referral.received")
        assert data["text"] == "The referral was received."
        await reading.rest()

    async def test_is_resumed_behind_the_entry_seen_last(self, runtime: Runtime, hear: Hear) -> None:
        await hear(referral_event(), referral_event("triaged"), referral_event("accepted"))
        reading = Reading(runtime, COORDINATOR, seen=1)
        assert (await reading.next())[:2] == (2, "referral.accepted")
        await reading.rest()

    async def test_says_reset_for_an_entry_that_is_no_longer_kept(self, runtime: Runtime, hear: Hear) -> None:
        await hear(referral_event(), referral_event("triaged"), referral_event("accepted"))
        async with runtime.database.transaction() as tx:
            await tx.sql("UPDATE event_log_end SET first_offset = 2 WHERE topic = 'feed'")
            await tx.sql("DELETE FROM event_log WHERE topic = 'feed' AND log_offset < 2")
        reading = Reading(runtime, COORDINATOR, seen=0)
        assert await reading.next() == (1, "reset", {"first": 2, "end": 3})
        assert (await reading.next())[:2] == (2, "referral.accepted")
        await reading.rest()

    async def test_says_reset_for_an_entry_of_another_log(self, runtime: Runtime, hear: Hear) -> None:
        await hear(referral_event())
        reading = Reading(runtime, COORDINATOR, seen=4711)
        assert await reading.next() == (0, "reset", {"first": 0, "end": 1})
        await reading.rest()

    async def test_ends_when_the_server_stops(self, runtime: Runtime) -> None:
        reading = Reading(runtime, COORDINATOR)
        assert await reading.rest() == []


class TestTheScope:
    @pytest.fixture(autouse=True)
    async def a_history(self, hear: Hear) -> None:
        await hear(
            referral_event(),
            authorization_event(),
            appointment_event("booked", clinician="physiotherapist"),
            team_event(members=["physiatrist"]),
            meeting_event(people=["psychologist"]),
        )

    @pytest.mark.parametrize(
        ("reader", "expected"),
        [
            (
                COORDINATOR,
                [
                    "referral.received",
                    "authorization.requested",
                    "appointment.booked",
                    "careteam.formed",
                    "meeting.agenda-published",
                ],
            ),
            (REFERRER, ["referral.received", "authorization.requested", "appointment.booked"]),
            (OTHER_REFERRER, []),
            (INSURER, ["authorization.requested"]),
            (OTHER_INSURER, []),
            (PHYSIATRIST, ["appointment.booked", "careteam.formed"]),
            (PSYCHOLOGIST, ["meeting.agenda-published"]),
            (a_reader("clinician", practitioner="physiotherapist"), ["appointment.booked"]),
            (a_reader("coordinator", site="ottawa"), []),
            (OPERATOR, []),
        ],
    )
    async def test_shows_each_party_its_own(
        self, runtime: Runtime, reader: Principal, expected: list[str]
    ) -> None:
        assert await seen_by(runtime, reader) == expected

    async def test_ends_for_a_member_who_left(self, runtime: Runtime, hear: Hear) -> None:
        await hear(team_event("changed", members=["psychologist"]))
        assert await seen_by(runtime, PHYSIATRIST) == []
        assert "careteam.formed" in await seen_by(runtime, PSYCHOLOGIST)

    async def test_ends_for_an_insurer_whose_consent_was_withdrawn(self, runtime: Runtime) -> None:
        async with runtime.database.transaction() as tx:
            await tx.sql("UPDATE known_authorization SET consented = false")
        assert await seen_by(runtime, INSURER) == []
