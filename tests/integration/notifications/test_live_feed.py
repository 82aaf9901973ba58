"""The live feed read from its log: resumed anywhere, cut to the reader's scope at the moment of sending."""

import asyncio
from dataclasses import replace

import pytest

from services.notifications.api import feed_stream
from shared.auth.principal import Principal
from shared.errors import Unavailable
from shared.runtime import Runtime
from tests.support.feed import (
    COORDINATOR,
    INSURER,
    OPERATOR,
    OTHER_INSURER,
    OTHER_REFERRER,
    PHYSIATRIST,
    PSYCHOLOGIST,
    REFERRER,
    Hear,
    Reading,
    a_reader,
)
from tests.support.news import (
    appointment_event,
    authorization_event,
    meeting_event,
    referral_event,
    team_event,
)
from tests.support.sql import sql


async def seen_by(runtime: Runtime, reader: Principal) -> list[str]:
    """Read all that stands in the log, up to its end."""
    reading = Reading(runtime, reader)
    events = await reading.up_to_now()
    await reading.close()
    return events


class _Sessions:
    """A verifier that knows whether the reader's session goes on."""

    def __init__(self, *, live: bool = True, away: bool = False) -> None:
        self.live, self.away, self.asked = live, away, 0

    async def principal(self, _: str) -> Principal:
        raise NotImplementedError

    async def is_live(self, _: Principal) -> bool:
        self.asked += 1
        if self.away:
            raise Unavailable("the issuer is away")
        return self.live


class TestTheReadersSession:
    async def test_that_has_ended_ends_the_stream_and_nothing_comes_after(
        self, runtime: Runtime, hear: Hear, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_stream, "SESSION_CHECKED_EVERY", 0.0)
        sessions = _Sessions()
        reading = Reading(replace(runtime, verifier=sessions), COORDINATOR)
        await hear(referral_event())
        assert await reading.up_to_now() == ["referral.received"]
        sessions.live = False
        await hear(referral_event("triaged"))
        with pytest.raises(StopAsyncIteration):
            await reading.frame()
        assert sessions.asked >= 2

    async def test_of_which_nobody_can_say_anything_ends_the_stream_too(
        self, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed_stream, "SESSION_CHECKED_EVERY", 0.0)
        reading = Reading(replace(runtime, verifier=_Sessions(away=True)), COORDINATOR)
        assert await reading.frame() == b": open\n\n"
        with pytest.raises(StopAsyncIteration):
            await reading.frame()

    def test_is_looked_at_often_enough(self) -> None:
        assert feed_stream.SESSION_CHECKED_EVERY + feed_stream.HEARTBEAT <= 30


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
            await sql(tx, "UPDATE event_log_end SET first_offset = 2 WHERE topic = 'feed'")
            await sql(tx, "DELETE FROM event_log WHERE topic = 'feed' AND log_offset < 2")
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
            await sql(tx, "UPDATE known_authorization SET consented = false")
        assert await seen_by(runtime, INSURER) == []
