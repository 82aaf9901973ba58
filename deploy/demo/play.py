"""The discrete-event run: the stories and the clinic's routine on one timetable, from begin to end."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial

import httpx

from deploy.demo import routine
from deploy.demo.serving import ServedClinic
from deploy.demo.stories import Play
from deploy.demo.story import Line, StepMissed, Story
from deploy.demo.timetable import Timetable
from shared.clinic import Site

ROUTINE = {
    "sessions are held every day": routine.hold_sessions,
    "case meetings are led": routine.lead_meetings,
}


async def play(
    served: ServedClinic,
    stories: Mapping[int, tuple[str, Play]],
    *,
    site: Site,
    end: datetime,
    progress: Callable[[datetime], None],
) -> tuple[list[Story], list[Line]]:
    """Play all stories and give each with what it missed, and the timeline of their acts."""
    timetable = Timetable(served.clock, settle=served.settle, next_timer=served.next_timer, progress=progress)
    timeline: list[Line] = []
    begin = served.clock.now()
    told = []

    def begins(number: int, title: str, script: Play) -> None:
        story = Story(
            number=number,
            title=title,
            script=timetable.script(title),
            clock=served.clock,
            begin=begin,
            zone=site.zone,
            parties=served.parties,
            timeline=timeline,
        )
        told.append(story)
        story.script.begin(_told(story, script(story)))

    for number, (title, script) in stories.items():
        begins(number, title, script)
    for title, steady in ROUTINE.items():
        begins(0, title, partial(steady, end=end))
    await timetable.run(end=end)
    for story in told:
        if not story.finished and story.missed is None:
            story.missed = "it still waits at the end"
    return told, timeline


async def _told(story: Story, script: Coroutine[None, None, None]) -> None:
    """Run a script; what goes wrong in it ends this story and no other."""
    try:
        await script
        story.finished = True
    except StepMissed as missed:
        story.missed = str(missed)
    except (LookupError, TypeError, ValueError, AttributeError, httpx.HTTPError) as error:
        trace = error.__traceback__
        while (
            trace is not None and trace.tb_next is not None and "/demo/" in str(trace.tb_next.tb_frame.f_code)
        ):
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "somewhere"
        story.missed = f"{type(error).__name__} in {place}: {error}"
