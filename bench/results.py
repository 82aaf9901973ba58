"""What a measurement gives, its targets, and where the figures are kept."""

import json
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LATEST = Path(__file__).with_name("latest.json")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row: a value in its unit, its floor (in the same unit) and their ratio where it has a floor.

    `reached` names the column of design targets that the value reaches: `goal`, `first` or nothing.
    """

    row: str
    transport: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    spin: float
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> str:
        """Tell the best target that is reached."""
        first, goal, higher = targets_of(self.row, self.transport)
        figure = self.value if self.ratio is None else self.ratio
        for name, target in (("goal", goal), ("first", first)):
            if (figure >= target) if higher else (figure < target):
                return name
        return "none"


# Row: first target, goal, whether more is better. A ratio is held against them where there is a floor.
TARGETS: dict[str, tuple[float, float, bool]] = {
    "main_path": (0.08, 0.25, True),
    "latency_p99": (150.0, 40.0, False),
    "cpu_per_referral": (4.0, 1.0, False),
    "ingest": (0.20, 0.50, True),
    "hop": (0.25, 0.50, True),
    "burst_drain": (60.0, 15.0, False),
    "start": (15.0, 5.0, False),
    "memory_idle": (600.0, 250.0, False),
    "memory_after": (600.0, 250.0, False),
    "cpu_idle": (50.0, 10.0, False),
    "cpu_at_ease": (38.0, 15.0, False),
    "read": (0.08, 0.40, True),
    "inquire": (808.0, 2_000.0, True),
}
_EMBEDDED_HOP = (0.40, 0.70, True)


def targets_of(row: str, transport: str) -> tuple[float, float, bool]:
    """Give the first target, the goal, and whether more is better."""
    return _EMBEDDED_HOP if (row, transport) == ("hop", "embedded") else TARGETS[row]


def median(values: Sequence[float]) -> float:
    """Give the median."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def against_floor(
    row: str, transport: str, pairs: Sequence[tuple[float, float]], *, spins: Sequence[float], **details: Any
) -> Result:
    """Sum up interleaved rounds of (measured, floor), both per second: medians, and the spread of ratios."""
    ratios = [measured / floor for measured, floor in pairs]
    return Result(
        row=row,
        transport=transport,
        value=round(median([measured for measured, _ in pairs]), 1),
        unit="1/s",
        floor=round(median([floor for _, floor in pairs]), 1),
        ratio=round(median(ratios), 4),
        spin=round(median(spins), 2),
        details={
            "ratios": [round(one, 4) for one in ratios],
            "spins": [round(one, 1) for one in spins],
            **details,
        },
    )


def keep(results: Sequence[Result]) -> None:
    """Write results into latest.json, each in the place of an earlier one of its row and transport."""
    known = json.loads(LATEST.read_text()) if LATEST.exists() else []
    kept = {(one["row"], one["transport"]): one for one in known}
    revision = commit()
    for one in results:
        kept[one.row, one.transport] = _as_json(one, revision)
    ordered = sorted(kept.values(), key=lambda one: (list(TARGETS).index(one["row"]), one["transport"]))
    LATEST.write_text("[\n" + ",\n".join(json.dumps(one) for one in ordered) + "\n]\n")


def _as_json(one: Result, revision: str) -> dict[str, Any]:
    return {
        "row": one.row,
        "transport": one.transport,
        "value": one.value,
        "unit": one.unit,
        "floor": one.floor,
        "ratio": one.ratio,
        "commit": revision,
        "reached": one.reached,
        "spin": one.spin,
        **one.details,
    }


def commit() -> str:
    """Name the commit that is measured, with a + where files of it were changed."""
    root = Path(__file__).parents[1]
    asked = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
