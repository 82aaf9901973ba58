"""Breaches to come, drawn by the server: the median of each week and the interval around it.

A drawing has two sizes, as those of trends; a table says what it shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDE, NARROW = (640, 220), (330, 200)
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 14, 14, 26
_LINES = 4
# A scale that ends at one of these times a power of ten is read easily.
_ROUND = (1, 2, 4, 8, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPoint:
    """A week at its place in the drawing: its median, and the interval's top and bottom."""

    begins: str
    x: float
    low: float
    middle: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastDrawing:
    """What one size of the drawing is made of; lengths are those of its view box."""

    width: int
    height: int
    left: int
    right: int
    points: Sequence[WeekPoint]
    lines: Sequence[tuple[float, int]]

    @property
    def path(self) -> str:
        """The medians as a polyline writes them."""
        return " ".join(f"{point.x:.1f},{point.middle:.1f}" for point in self.points)

    @property
    def band(self) -> str:
        """The interval as a polygon writes it: along its top, and back along its bottom."""
        top = [f"{point.x:.1f},{point.high:.1f}" for point in self.points]
        bottom = [f"{point.x:.1f},{point.low:.1f}" for point in reversed(self.points)]
        return " ".join([*top, *bottom])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The weeks of one discipline as the forecast says them, None for all of them, and their sum."""

    discipline: str | None
    weeks: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any]

    def drawing(self, size: tuple[int, int]) -> ForecastDrawing:
        """Draw the breaches of the weeks at one size."""
        width, height = size
        highest = scale_end(max((row["breaches"]["q90"] for row in self.weeks), default=0))
        room, bottom = width - _RIGHT - _LEFT - 8, height - _BOTTOM
        step = room / max(1, len(self.weeks) - 1)

        def y(number: float) -> float:
            return bottom - number / highest * (bottom - _TOP)

        return ForecastDrawing(
            width=width,
            height=height,
            left=_LEFT,
            right=width - _RIGHT,
            points=[
                WeekPoint(
                    begins=row["from"],
                    x=_LEFT + 4 + step * place,
                    low=y(row["breaches"]["q10"]),
                    middle=y(row["breaches"]["q50"]),
                    high=y(row["breaches"]["q90"]),
                )
                for place, row in enumerate(self.weeks)
            ],
            lines=[(y(highest * n / _LINES), highest * n // _LINES) for n in range(_LINES + 1)],
        )


def outlooks(body: Mapping[str, Any]) -> list[Outlook]:
    """Read a forecast: all disciplines together first, then each of them."""
    totals = {total["discipline"]: total for total in body["totals"]}
    return [
        Outlook(
            discipline=discipline,
            weeks=[row for row in body["rows"] if row["discipline"] == discipline],
            total=totals[discipline],
        )
        for discipline in (None, *body["disciplines"])
    ]


def scale_end(highest: int) -> int:
    """Find where a scale ends that has room for a number: its four parts are whole numbers."""
    power = 1
    while True:
        for number in _ROUND:
            if number * power * _LINES >= highest:
                return number * power * _LINES
        power *= 10
