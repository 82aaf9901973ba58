"""First visits keep their promise where courses use four fifths of all hours, while hours are kept for them.

`LUMBAR_SEEDS=4 python -m pytest tests/journeys/test_shares_beside_series.py -k seeds` plays so
many drawn clinics without courses, with them, and with them where no hours are kept, and writes the shares
into docs/how/series.md.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.marked import put_between
from shared.db import Database
from tests.support.booking.busy_clinic import PRIORITIES, BusyClinic, Shares
from tests.support.postgres import service_database

LOAD, USE, SCORE = 0.9, 0.8, 0.98
DOCS, BEGIN, END = Path("docs/how/series.md"), "<!-- shares -->", "<!-- end of shares -->"
SEEDS = int(os.environ.get("LUMBAR_SEEDS", "0"))
# Who is due after the run counts by the day that is booked.
SHORT: Mapping[str, Any] = {"seed": 1, "load": LOAD, "afterwards": 11}
WAYS: Mapping[str, Mapping[str, bool]] = {
    "no courses": {"has_courses": False},
    "courses, hours kept": {},
    "courses, none kept": {"is_kept": False},
}


def holds(shares: Shares) -> bool:
    """Whether the promise is kept as it is without courses, a referral of few aside."""
    return shares.score >= SCORE


@pytest.mark.timeout(1200)
async def test_series_that_use_four_fifths_of_all_hours_leave_the_promise_as_it_is(
    scheduling_db: Database,
) -> None:
    shares = await BusyClinic(database=scheduling_db, **SHORT).play()
    assert min(shares.use.values()) >= USE, shares
    assert holds(shares), shares


@pytest.mark.timeout(1200)
async def test_without_hours_that_are_kept_they_break_it(scheduling_db: Database) -> None:
    shares = await BusyClinic(database=scheduling_db, is_kept=False, **SHORT).play()
    assert not holds(shares), shares


@pytest.mark.skipif(not SEEDS, reason="LUMBAR_SEEDS says how many seeds are played")
@pytest.mark.timeout(24 * 3600)
async def test_the_shares_of_several_seeds() -> None:
    lines = [
        f"Of {SEEDS} drawn clinics, load {LOAD}: " + " / ".join(PRIORITIES) + ".",
        "",
        "| Clinic | Seen in time, % | Referrals | Hours that sessions use, % |",
        "|---|---|---|---|",
    ]
    for name, way in WAYS.items():
        lines.append(_line(name, [await _played(seed, way) for seed in range(1, SEEDS + 1)]))
    _write(lines)


def _write(lines: Sequence[str]) -> None:
    written = "\n".join([*lines, ""])
    DOCS.write_text(put_between(DOCS.read_text(), written, begin=BEGIN, end=END))


def _line(name: str, found: Sequence[Shares]) -> str:
    count = {code: sum(one.count[code] for one in found) for code in PRIORITIES}
    seen = {code: sum(one.count[code] * one.in_time[code] for one in found) for code in PRIORITIES}
    shares = " / ".join(f"{100 * seen[code] / count[code]:.1f}" for code in PRIORITIES)
    of = " / ".join(str(count[code]) for code in PRIORITIES)
    used = ", ".join(
        f"{what} {100 * sum(one.use[what] for one in found) / len(found):.0f}" for what in found[0].use
    )
    return f"| {name} | {shares} | {of} | {used} |"


async def _played(seed: int, way: Mapping[str, bool]) -> Shares:
    database = await service_database("scheduling")
    try:
        return await BusyClinic(database=database, seed=seed, load=LOAD, **way).play()
    finally:
        await database.close()
