"""How the demo looks on a terminal, and plain where there is none: progress, timeline, summary."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.demo.story import Line, Story
from deploy.demo.summary import Summary, Wait

_WIDE = 132
# So many days over the promise are drawn.
_MOST_LATE = 14
_KINDS = {
    "referral": "cyan",
    "authorization": "magenta",
    "appointment": "green",
    "series": "green",
    "waitlist": "yellow",
    "guarantee": "yellow",
    "meeting": "blue",
    "notification": "dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A line of the end: what was to happen, and what of it did not."""

    title: str
    missed: str | None
    number: int = 0
    steps: int = 0
    page: str | None = None

    @classmethod
    def of(cls, story: Story) -> "Result":
        """Sum up a story that was told; its page is that of its first referral."""
        page = next((f"/referrals/{referral}" for referral in story.referrals), None)
        steps = len(story.steps)
        return cls(title=story.title, missed=story.missed, number=story.number, steps=steps, page=page)


class Show:
    """Prints the demo; colours only on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        if not self._console.is_terminal:
            self._console.width = _WIDE

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text)

    @contextmanager
    def progress(self, *, begin: datetime, end: datetime) -> Iterator[Callable[[datetime], None]]:
        """Show a bar that runs from begin to end, and give the function that moves it."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with bar:
            task = bar.add_task("twelve weeks of care", total=(end - begin).total_seconds())

            def moved(now: datetime) -> None:
                week = min((now - begin).days // 7 + 1, 12)
                bar.update(
                    task, completed=(now - begin).total_seconds(), description=f"week {week:>2} of care"
                )

            yield moved

    def timeline(self, lines: Sequence[Line], *, begin: datetime, zone: ZoneInfo) -> None:
        """Print what happened, day by day."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("day", "date", "time", "story", "who", "what happened", "event"):
            table.add_column(
                name, no_wrap=name != "what happened", justify="right" if name == "day" else "left"
            )
        first, shown = begin.astimezone(zone).date(), None
        for line in sorted(lines, key=lambda one: one.at):
            local = line.at.astimezone(zone)
            new_day = local.date() != shown
            shown = local.date()
            table.add_row(
                str((shown - first).days) if new_day else "",
                f"{local:%a %d %b}" if new_day else "",
                f"{local:%H:%M}",
                str(line.story or ""),
                line.who,
                line.what,
                line.event,
                style=_KINDS.get(line.event.partition(".")[0], ""),
            )
        self._console.rule("What happened")
        self._console.print(table)

    def summary(self, summary: Summary) -> None:
        """Print what became of everything."""
        self._console.rule("Summary, read back through the API")
        self._pairs("referrals by stream and outcome", summary.referrals)
        self._waits(summary.waits)
        self._pairs("authorizations by insurer and answer", summary.authorizations)
        self._counts("case meetings", summary.meetings, f"{summary.decisions} cases decided")
        self._counts("actions of the team", summary.actions, "")
        self._counts("messages", summary.messages, f"{summary.letters} e-mails arrived at the mail server")
        self._counts("webhooks", summary.webhooks, f"{summary.taken} arrived at an insurer's own system")

    def results(self, results: Sequence[Result], *, pages_at: str | None = None) -> None:
        """Print a line for each story: whether all of it happened, else what did not, and where to see it."""
        self._console.rule("Stories")
        for one in results:
            mark, style = ("✗", "bold red") if one.missed else ("✓", "green")
            number = f"{one.number:>2}" if one.number else "  "
            steps = f" ({one.steps} checks)" if one.steps else ""
            self._console.print(f"{mark} {number} {one.title}{steps}", style=style)
            if pages_at is not None and one.page is not None:
                self._console.print(f"     {pages_at}{one.page}", style="dim", markup=False, soft_wrap=True)
            if one.missed:
                self._console.print(f"     {one.missed}", style="red", markup=False)

    def _pairs(self, title: str, counts: Mapping[tuple[str, str], int]) -> None:
        self._console.print(f"\n[bold]{title}[/bold]")
        for (first, second), count in sorted(counts.items()):
            self._console.print(f"  {first:<20} {second:<28} {count:>3}")

    def _counts(self, title: str, counts: Mapping[str, int], more: str) -> None:
        parts = [f"{count} {name}" for name, count in sorted(counts.items())]
        self._console.print(f"\n[bold]{title}[/bold]  {', '.join([*parts, *([more] if more else [])])}")

    def _waits(self, waits: Sequence[Wait]) -> None:
        self._console.print(
            "\n[bold]days from sending to the first appointment[/bold] (|: promised by the priority)"
        )
        for wait in sorted(waits, key=lambda one: (one.story or 0, one.programme)):
            name = f"  story {wait.story or '-':>2}  {wait.programme:<28}"
            if wait.days is None:
                self._console.print(f"{name} {'·' * wait.promised}|  {wait.status}")
                continue
            days = round(wait.days)
            bar = "█" * min(days, wait.promised) + "·" * max(wait.promised - days, 0)
            over = "█" * min(max(days - wait.promised, 0), _MOST_LATE)
            self._console.print(f"{name} {bar}|{over} {days:>3}  {wait.status}")
