"""The discrete-event run: the stories and the clinic's routine on one timetable, from begin to end."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from deploy.demo import routine
from deploy.demo.serving import ServedClinic
from deploy.demo.story import Line, Play, Story
from deploy.demo.timetable import Timetable
from shared.clinic import Site

ROUTINE = {
    "sessions are held every day": routine.hold_sessions,
    "case meetings are led every week": routine.lead_meetings,
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
    timetable = Timetable(served.clock, settle=served.settle, progress=progress)
    timeline: list[Line] = []
    scripts = [(number, title, script) for number, (title, script) in stories.items()]
    scripts += [(0, title, partial(steady, end=end)) for title, steady in ROUTINE.items()]
    told = [
        Story(
            number=number,
            title=title,
            script=timetable.script(title),
            clock=served.clock,
            begin=served.clock.now(),
            zone=site.zone,
            parties=served.parties,
            timeline=timeline,
            letters=served.letters.to,
        )
        for number, title, _ in scripts
    ]
    for story, (_, _, script) in zip(told, scripts, strict=True):
        story.script.begin(story.tell(script))
    await timetable.run(end=end)
    return told, timeline
