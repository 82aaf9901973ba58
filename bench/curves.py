"""`python -m bench plots`: what the two plots of docs/performance.md show.

Latency against throughput (open loop, at shares of the measured maximum), and cost against the number of
referrals that are stored already (bench/many.py says how they came there). The figures stand in curves.json.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import draw, machine, page
from bench.clinic import coordinator_of, site_of
from bench.latency import LAST, percentiles
from bench.main_path import round_of
from bench.many import copy, read_base
from bench.rest import Databases
from bench.run import broker, clinic_on
from bench.running import RunningClinic, running_clinic

FIGURES = Path(__file__).with_name("curves.json")
SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
STORED = (1_000, 3_000, 10_000, 30_000, 100_000)
_STEP_SECONDS = 8.0
_SITES = 3


async def measure(*, transports: Sequence[str], up_to: int, only: str | None) -> None:
    """Measure what was asked for, keep it, and draw both plots."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {"latency": {}, "cost": []}
    if only != "cost":
        for transport in transports:
            with broker(transport) as kafka, clinic_on(kafka) as clinic:
                figures["latency"][transport] = await _latency(clinic)
                _write(figures)
    if only != "latency":
        with running_clinic() as clinic:
            figures["cost"] = await _cost(clinic, [number for number in STORED if number <= up_to])
            _write(figures)


def _write(figures: dict[str, Any]) -> None:
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    draw.all_plots(figures)
    if figures["cost"]:
        page.write_cost(figures["cost"])


async def _latency(clinic: RunningClinic) -> list[dict[str, Any]]:
    databases, steps = await Databases.of(clinic), []
    await round_of(clinic, databases, 60)
    maximum = (await round_of(clinic, databases, 200)).rate
    feeds = tuple([await clinic.token(coordinator_of(site_of(number))) for number in range(_SITES)])
    for share in SHARES:
        rate, spin = maximum * share, machine.spin()
        count = max(20, int(rate * _STEP_SECONDS))
        sent = await clinic.post(count, rate=rate, sites=_SITES, connections=32, feeds=feeds)
        await databases.rest(total=await databases.done(), within=120)
        steps.append(
            {"rate": round(rate, 2), "share": share, "spin": spin, **percentiles(sent["heard"][LAST])}
        )
        print(steps[-1], flush=True)
    await databases.close()
    return steps


async def _cost(clinic: RunningClinic, stored: Sequence[int]) -> list[dict[str, Any]]:
    """Measure with so many referrals stored; all but the first thousand are copies."""
    databases, steps, copies = await Databases.of(clinic), [], 0
    await round_of(clinic, databases, 40)
    await round_of(clinic, databases, stored[0] - 40)
    base = await read_base(clinic, referrals=stored[0])
    for number in stored:
        wanted = number // base.referrals - 1
        await copy(clinic, base, range(copies + 1, wanted + 1))
        copies = wanted
        steps.append(await _cost_at(clinic, databases, number))
        print(steps[-1], flush=True)
    await databases.close()
    return steps


async def _cost_at(clinic: RunningClinic, databases: Databases, number: int) -> dict[str, Any]:
    await databases.by_service["referral"].execute("CHECKPOINT")
    await round_of(clinic, databases, 60)
    spin, wal = machine.spin(), await databases.wal()
    measured = await round_of(clinic, databases, 200)
    written, memory = (await databases.wal() - wal) / 200, clinic.memory()
    return {
        "stored": number,
        "rate": round(measured.rate, 1),
        "spin": round(spin, 2),
        **{name: round(value, 3) for name, value in measured.cost.items()},
        "wal": round(written),
        "memory": {name: round(size, 1) for name, size in memory.items()},
    }
