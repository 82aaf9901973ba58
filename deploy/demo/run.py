"""`lumbar demo`: a clinic of its own, twelve weeks in time-lapse, then what happened and what it came to."""

import shutil
import tempfile
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path

import uvloop

from deploy.demo.feed import read_feed
from deploy.demo.play import play
from deploy.demo.serving import ADDRESS, served_clinic
from deploy.demo.show import Result, Show
from deploy.demo.stories import STORIES
from deploy.demo.story import Play
from deploy.demo.summary import Summary, read_summary
from deploy.embedded import EmbeddedPostgres
from shared.clinic import Clinic, Site
from shared.clock import machine_now, monotonic
from shared.events.settle import NotSettled
from shared.ids import new_text_id
from shared.telemetry.logging import start_logging

DAYS = 84
LOG = "demo.log"


def run(
    clinic: Clinic,
    *,
    data: Path | None = None,
    stories: Mapping[int, tuple[str, Play]] = STORIES,
    days: int = DAYS,
    show: Show | None = None,
) -> int:
    """Play the demo and give the exit status: 0 only if every step of every story happened.

    The clinic stays in `data` where it is given, ready for `lumbar up`. Must be called in the main thread.
    """
    folder = data or Path(tempfile.gettempdir()) / f"lumbar-demo-{new_text_id()}"
    show = show or Show()
    server = EmbeddedPostgres.start(folder, durable=False)
    log = (folder / LOG).open("w", encoding="utf-8")
    try:
        start_logging(stream=log)
        pages_at = None if data is None else ADDRESS
        demo = _demo(server, clinic, stories=stories, days=days, show=show, pages_at=pages_at)
        return uvloop.run(demo)
    finally:
        server.stop()
        log.close()
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _demo(
    server: EmbeddedPostgres,
    clinic: Clinic,
    *,
    stories: Mapping[int, tuple[str, Play]],
    days: int,
    show: Show,
    pages_at: str | None,
) -> int:
    site, end, started = clinic.sites[0], machine_now(), monotonic()
    begin = _morning(site, end - timedelta(days=days))
    async with served_clinic(server, clinic, begin=begin) as served:
        try:
            with show.progress(begin=begin, end=end) as progress:
                told, timeline = await play(served, stories, site=site, end=end, progress=progress)
                served.clock.set(machine_now())
                await served.settle()
        except NotSettled as error:
            show.say(str(error))
            return 1
        timeline += await read_feed(served.parties, told)
        summary = await read_summary(
            served.parties, served.letters, served.claims, stories=told, zone=site.zone
        )
        dead = await served.left_behind()
    show.timeline(timeline, begin=begin, zone=site.zone)
    show.summary(summary)
    results = [Result.of(story) for story in told] + _checks(summary, dead=dead)
    show.results(results, pages_at=pages_at)
    if pages_at is not None:
        show.say(f"\nThe pages of the stories stand at these addresses, once the clinic is up: {pages_at}/")
    missed = [one for one in results if one.missed]
    took = monotonic() - started
    show.say(f"\n{len(results) - len(missed)} of {len(results)} complete, in {took:.0f} seconds")
    return 1 if missed else 0


def _checks(summary: Summary, *, dead: int) -> list[Result]:
    """Hold the clinic's own books against those outside, and look that nothing was given up."""
    return [
        Result(
            title="every message that says so arrived at the mail server, once",
            missed=_differs(summary.messages, arrived=summary.letters),
        ),
        Result(
            title="every webhook that says so arrived at the insurer's own system, once, rightly signed",
            missed=_differs(summary.webhooks, arrived=summary.taken),
        ),
        Result(
            title="no event was given up",
            missed=None if not dead else f"{dead} keys wait for a person: lumbar dead-letters list",
        ),
    ]


def _differs(told: Mapping[str, int], *, arrived: int) -> str | None:
    """Say how what was told and what arrived differ; None where they are the same and not nothing."""
    sent = told.get("completed", 0)
    if sent == arrived and sent > 0:
        return None
    return f"{sent} say so, {arrived} arrived, {sum(told.values()) - sent} were not sent"


def _morning(site: Site, moment: datetime) -> datetime:
    """Give the beginning of the site's day."""
    return datetime.combine(moment.astimezone(site.zone).date(), time(), site.zone)
