"""Plays the demo's stories on the tests' clinic: the same scripts, without a server in between."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx

from deploy.demo.stories import STORIES
from deploy.demo.story import Line, Story
from deploy.demo.timetable import Timetable
from tests.support.clinic import TestClinic


@dataclass(kw_only=True)
class Played:
    """What became of the stories that were played together."""

    stories: list[Story]
    timeline: list[Line] = field(default_factory=list)


async def play(clinic: TestClinic, *numbers: int, days: int = 84) -> Played:
    """Play stories together from now on for so many days; a step that does not happen raises."""
    timetable = Timetable(
        clinic.clock, settle=clinic.settle, next_timer=clinic.next_due, progress=_say_nothing
    )
    timeline: list[Line] = []
    stories = [_begin(clinic, timetable, timeline, number) for number in numbers]
    await timetable.run(end=clinic.clock.now() + timedelta(days=days))
    assert timetable.unfinished() == []
    return Played(stories=stories, timeline=timeline)


def _begin(clinic: TestClinic, timetable: Timetable, timeline: list[Line], number: int) -> Story:
    title, script = STORIES[number]

    async def party(name: str) -> httpx.AsyncClient:
        return clinic.as_(name)

    story = Story(
        number=number,
        title=title,
        script=timetable.script(title),
        clock=clinic.clock,
        begin=clinic.clock.now(),
        zone=clinic.clinic.sites[0].zone,
        parties=party,
        timeline=timeline,
    )
    story.script.begin(script(story))
    return story


def _say_nothing(_: datetime) -> None:
    """A test needs no progress bar."""
