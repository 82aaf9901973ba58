"""Counts, levels and timings that cost the hot path a fifth of a microsecond each.

OpenTelemetry's own instruments cost 6 to 8 microseconds a call (docs/how/observability.md has the figures),
and a referral makes about a hundred. These keep their numbers in a dict, and OpenTelemetry's SDK reads them
when somebody collects: counts and levels as observable instruments, timings as histogram points (`timings`).

Invariants:
- Labels are given in the order in which they were declared, always all of them, and come from closed tables:
  never an id, never a text.
- A series is added to by one thread; reading may be done from another at any moment.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics.export import AggregationTemporality, Histogram, HistogramDataPoint, Metric

from shared.clock import machine_now

Labels = tuple[str, ...]

SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.04, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
LONG_SECONDS = (0.005, 0.015, 0.04, 0.1, 0.25, 1, 2.5, 10, 30, 60, 300, 900, 3600)


def _nanoseconds() -> int:
    return int(machine_now().timestamp() * 1e9)


_STARTED = _nanoseconds()


class _Tally:
    def __init__(self, name: str, *, unit: str, description: str, labels: Sequence[str]) -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.labels = tuple(labels)

    def _named(self, values: Labels) -> dict[str, str]:
        return dict(zip(self.labels, values, strict=True))


class _Numbers(_Tally):
    def __init__(self, name: str, *, unit: str, description: str, labels: Sequence[str]) -> None:
        super().__init__(name, unit=unit, description=description, labels=labels)
        self._values: dict[Labels, float] = {}

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """Give every series as OpenTelemetry wants it."""
        return [Observation(value, self._named(labels)) for labels, value in list(self._values.items())]


class Count(_Numbers):
    """A number that only grows, for each set of labels."""

    def __init__(self, name: str, *, unit: str, description: str, labels: Sequence[str]) -> None:
        super().__init__(name, unit=unit, description=description, labels=labels)
        COUNTS.append(self)

    def expect(self, *labels: str) -> None:
        """Show a series as 0 from now on, so that its first count is seen as a rise."""
        self._values.setdefault(labels, 0)

    def add(self, number: float, *labels: str) -> None:
        """Count so many more."""
        self._values[labels] = self._values.get(labels, 0) + number


class Level(_Numbers):
    """A number that goes up and down, for each set of labels, as it was last read."""

    def __init__(self, name: str, *, unit: str, description: str, labels: Sequence[str]) -> None:
        super().__init__(name, unit=unit, description=description, labels=labels)
        LEVELS.append(self)

    def set(self, value: float, *labels: str) -> None:
        """Say how much it is now."""
        self._values[labels] = value


class Timing(_Tally):
    """A histogram of durations in seconds, for each set of labels; `bounds` are its buckets' upper ends."""

    def __init__(
        self, name: str, *, description: str, labels: Sequence[str], bounds: Sequence[float] = SECONDS
    ) -> None:
        super().__init__(name, unit="s", description=description, labels=labels)
        self._bounds = tuple(bounds)
        self._series: dict[Labels, list[float]] = {}
        TIMINGS.append(self)

    def record(self, seconds: float, *labels: str, times: int = 1) -> None:
        """Add one duration, or the same so many times."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = [0.0] * (len(self._bounds) + 2)
        series[bisect_left(self._bounds, seconds) + 1] += times
        series[0] += seconds * times

    def metric(self, now: int) -> Metric | None:
        """Give the histogram at a machine time in nanoseconds; None where nothing was recorded."""
        points = [self._point(labels, list(series), now) for labels, series in list(self._series.items())]
        if not points:
            return None
        data = Histogram(data_points=points, aggregation_temporality=AggregationTemporality.CUMULATIVE)
        return Metric(name=self.name, description=self.description, unit=self.unit, data=data)

    def _point(self, labels: Labels, series: list[float], now: int) -> HistogramDataPoint:
        counts = [int(count) for count in series[1:]]
        return HistogramDataPoint(
            attributes=self._named(labels),
            start_time_unix_nano=_STARTED,
            time_unix_nano=now,
            count=sum(counts),
            sum=series[0],
            bucket_counts=counts,
            explicit_bounds=self._bounds,
            min=None,  # type: ignore[arg-type]
            max=None,  # type: ignore[arg-type]
        )


COUNTS: list[Count] = []
LEVELS: list[Level] = []
TIMINGS: list[Timing] = []


def timings() -> list[Metric]:
    """Give every histogram in which something was recorded."""
    now = _nanoseconds()
    return [metric for timing in TIMINGS if (metric := timing.metric(now)) is not None]
