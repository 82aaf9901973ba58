"""The table of docs/performance.md, written between its markers from bench/latest.json."""

import json
from pathlib import Path
from typing import Any

from bench.results import LATEST, targets_of

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_FIGURES = "<!-- figures: written by `python -m bench run --keep` -->", "<!-- end of figures -->"
_NAMED = {
    "main_path": "referral POST to booked, team, notified",
    "latency_p99": "the same path's latency, p99",
    "cpu_per_referral": "processor time per referral",
    "ingest": "ingest of one referral",
    "hop": "one hop",
    "burst_drain": "draining a burst",
    "start": "`lumbar up` from nothing to ready",
    "memory_idle": "memory of the idle clinic",
    "memory_after": "the same after 100,000 referrals",
    "cpu_idle": "processor time of the idle clinic",
    "cpu_at_ease": "processor time per referral at 6.7 a second, 12 feeds open",
    "read": "read by id: token, row scope and audit",
    "inquire": "`Claim/$inquire`",
}


def write_figures() -> None:
    """Write the table of bench/latest.json anew; what stands outside its markers stays as it is."""
    _between(*_FIGURES, table(json.loads(LATEST.read_text())))


def _between(begin: str, end: str, written: str) -> None:
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    if not after:
        raise ValueError(f"{PAGE.name} has lost its markers")
    PAGE.write_text(f"{before}{begin}\n\n{written}\n{end}{after}", "utf-8")


def table(rows: list[dict[str, Any]]) -> str:
    """Give the rows as a Markdown table."""
    lines = [
        "| Path | Transport | Measured | Floor | Ratio | First | Goal | Reached | Spin | Commit |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *map(_line, rows),
    ]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    first, goal, higher = targets_of(row["row"], row["transport"])
    has_floor, has_ratio = row["floor"] is not None, row["ratio"] is not None
    shown = [f"{'≥' if higher else '<'} {_amount(one, row, ratio=has_ratio)}" for one in (first, goal)]
    cells = [
        _NAMED[row["row"]],
        row["transport"],
        _amount(row["value"], row, ratio=False),
        _amount(row["floor"], row, ratio=False) if has_floor else "",
        f"{row['ratio']:.1%}" if has_ratio else "",
        *shown,
        row["reached"],
        f"{row['spin']:g} ms",
        f"`{row['commit']}`",
    ]
    return f"| {' | '.join(cells)} |"


def _amount(value: float, row: dict[str, Any], *, ratio: bool) -> str:
    return f"{value:.0%}" if ratio else f"{value:,.10g} {row['unit']}"
