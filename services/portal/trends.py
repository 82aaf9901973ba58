"""How a patient gets on: an instrument's scores over time, drawn by the server, with what change matters.

A drawing has two sizes, wide and narrow, each with letters of a size that can be read; text and a table stand
beside it, so the drawing itself says nothing that is not written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.portal.reading import many, moment_of

WIDE, NARROW = (640, 220), (330, 200)
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 92, 14, 26
_RIGHT_NARROW = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One score at its place in the drawing."""

    at: datetime
    score: Decimal
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What one size of the drawing is made of; lengths are those of its view box."""

    width: int
    height: int
    left: int
    right: float
    points: Sequence[Point]
    lines: Sequence[tuple[float, str]]
    baseline: float | None
    better: tuple[float, float] | None
    worse: tuple[float, float] | None

    @property
    def path(self) -> str:
        """The points as a polyline writes them."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The scores of one instrument, oldest first; `important` is the smallest change that matters."""

    instrument: str
    name: str
    unit: str
    lowest: Decimal
    highest: Decimal
    is_lower_better: bool
    important: Decimal
    baseline: Decimal | None
    scores: Sequence[tuple[datetime, Decimal]]

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> "Trend":
        """Read a trend as `$summary` gives it."""
        values = many(parts.get("value"))
        scores = [(moment, Decimal(str(one["value"]))) for one in values if (moment := moment_of(one["at"]))]
        baseline = parts.get("baseline")
        return cls(
            instrument=parts["instrument"],
            name=parts["name"],
            unit=parts.get("unit", ""),
            lowest=Decimal(str(parts["lowest"])),
            highest=Decimal(str(parts["highest"])),
            is_lower_better=parts.get("better") == "lower",
            important=Decimal(str(parts["important"])),
            baseline=None if baseline is None else Decimal(str(baseline)),
            scores=scores,
        )

    @property
    def improvement(self) -> Decimal | None:
        """How much better the newest score is than the baseline; None where one of them is missing."""
        if self.baseline is None or not self.scores:
            return None
        change = self.scores[-1][1] - self.baseline
        return -change if self.is_lower_better else change

    @property
    def verdict(self) -> str:
        """Whether that is `better` or `worse` by what matters, `same` between, `unknown` without both."""
        if self.improvement is None or len(self.scores) < 2:
            return "unknown"
        if self.improvement >= self.important:
            return "better"
        return "worse" if self.improvement <= -self.important else "same"

    def drawing(self, size: tuple[int, int]) -> Drawing:
        """Draw the scores at one size."""
        width, height = size
        right = width - (_RIGHT if size == WIDE else _RIGHT_NARROW)
        frame = _Frame(self, left=_LEFT, right=right, top=_TOP, bottom=height - _BOTTOM)
        better, worse = frame.bands()
        return Drawing(
            width=width,
            height=height,
            left=_LEFT,
            right=right,
            points=frame.points(),
            lines=frame.lines(),
            baseline=None if self.baseline is None else frame.y(self.baseline),
            better=better,
            worse=worse,
        )


class _Frame:
    """Places scores and moments inside the margins of a drawing."""

    def __init__(self, trend: Trend, *, left: float, right: float, top: float, bottom: float) -> None:
        self._trend = trend
        self._left, self._right, self._top, self._bottom = left, right, top, bottom

    def y(self, score: Decimal) -> float:
        """Give the height of a score; one outside of the scale stands at its edge."""
        span = float(self._trend.highest - self._trend.lowest)
        share = min(max(float(score - self._trend.lowest) / span, 0), 1)
        return self._bottom - share * (self._bottom - self._top)

    def points(self) -> list[Point]:
        """Place every score; a single one stands at the left."""
        scores = self._trend.scores
        begins = scores[0][0] if scores else None
        lasts = (scores[-1][0] - scores[0][0]).total_seconds() if scores else 0
        room = self._right - self._left - 8
        return [
            Point(
                at=at,
                score=score,
                x=self._left + 4 + (room * (at - begins).total_seconds() / lasts if begins and lasts else 0),
                y=self.y(score),
            )
            for at, score in scores
        ]

    def lines(self) -> list[tuple[float, str]]:
        """Give five lines of the scale, each with its number."""
        trend = self._trend
        step = (trend.highest - trend.lowest) / 5
        return [(self.y(score), f"{score:g}") for score in (trend.lowest + step * n for n in range(6))]

    def bands(self) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
        """Give where a score is better, and where it is worse, by what matters: top and height."""
        trend = self._trend
        if trend.baseline is None:
            return None, None
        sign = -1 if trend.is_lower_better else 1
        best, worst = (
            (trend.lowest, trend.highest) if trend.is_lower_better else (trend.highest, trend.lowest)
        )
        better = self._between(trend.baseline + sign * trend.important, best)
        worse = self._between(trend.baseline - sign * trend.important, worst)
        return better, worse

    def _between(self, score: Decimal, other: Decimal) -> tuple[float, float] | None:
        if not self._trend.lowest <= score <= self._trend.highest:
            return None
        high, low = sorted((self.y(score), self.y(other)))
        return (high, low - high) if low > high else None
