"""Plays the demo's stories on the tests' clinic: same scripts, same routine, no server in between."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from deploy.demo import play as demo
from deploy.demo.parties import PATIENT
from deploy.demo.stories import STORIES
from deploy.demo.story import Line, Story
from shared.clock import SimulatedClock
from tests.failure.audit.evidence import Evidence
from tests.failure.audit.transitions import illegal_steps
from tests.failure.history import History
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The tests' clinic as the demo sees a clinic."""

    clinic: TestClinic
    letters: Mailbox

    @property
    def clock(self) -> SimulatedClock:
        return self.clinic.clock

    async def parties(self, name: str) -> httpx.AsyncClient:
        return self.clinic.anonymous() if name == PATIENT else self.clinic.as_(name)

    async def settle(self) -> datetime | None:
        return await self.clinic.settle()


async def play(
    clinic: TestClinic, *numbers: int, days: int = 84, cut_short: bool = False
) -> tuple[list[Story], list[Line]]:
    """Play stories together from now on for so many days, and expect that none misses a step.

    `cut_short` says that stories may still go on at the end.
    """
    stage: Any = Stage(clinic=clinic, letters=clinic.mailbox or Mailbox())
    told, timeline = await demo.play(
        stage,
        {number: STORIES[number] for number in numbers},
        site=clinic.clinic.sites[0],
        end=clinic.clock.now() + timedelta(days=days),
        progress=lambda moment: None,
    )
    missed = [f"{story.title}: {story.missed}" for story in told if story.missed]
    assert not missed or (cut_short and all("still waits" in one for one in missed)), "\n".join(missed)
    return told, timeline


async def nothing_is_left_over(clinic: TestClinic) -> None:
    """Expect empty outboxes, no held event and no step outside the tables of states after a story."""
    seen = Evidence(databases=clinic.databases, history=History(), published={})
    assert [finding async for finding in illegal_steps(seen)] == []
    for service, figures in (await clinic.read_status()).items():
        assert figures.settled, service
        assert figures.held_dead == 0, service
