"""The rows of a clinic at rest: how fast `lumbar up` is ready from nothing, and what doing nothing takes."""

import asyncio

from bench import machine
from bench.main_path import round_of
from bench.many import copy, read_base
from bench.rest import Databases
from bench.results import Result, median
from bench.running import RunningClinic, running_clinic

ROUNDS = 3
_REAL = 1_000
_IDLE, _IDLE_FOR = 5.0, 20.0
STORED = 100_000


async def standing(*, transport: str, rounds: int = ROUNDS) -> list[Result]:
    """Start the example clinic in empty folders, each time anew, and let the last one idle."""
    took, spins, memory, idle = [], [], {"python": 0.0, "postgres": 0.0}, {"python": 0.0, "postgres": 0.0}
    for _ in range(rounds):
        spins.append(machine.spin())
        with running_clinic(example=True) as clinic:
            took.append(clinic.ready_after)
            if len(took) == rounds:
                await asyncio.sleep(_IDLE)
                memory, idle = clinic.memory(), await _cpu_a_second(clinic)
    spin = round(median(spins), 2)
    return [
        Result(
            row="start",
            transport=transport,
            value=round(median(took), 2),
            unit="s",
            spin=spin,
            details={"rounds": [round(one, 2) for one in took]},
        ),
        Result(
            row="memory_idle",
            transport=transport,
            value=round(sum(memory.values()), 1),
            unit="MB",
            spin=spin,
            details={name: round(size, 1) for name, size in memory.items()},
        ),
        Result(
            row="cpu_idle",
            transport=transport,
            value=round(sum(idle.values()), 1),
            unit="ms/s",
            spin=spin,
            details={name: round(milliseconds, 1) for name, milliseconds in idle.items()},
        ),
    ]


async def memory_after(clinic: RunningClinic, *, stored: int = STORED) -> list[Result]:
    """Fill a clinic (bench/many.py), let it work on a few more referrals, and read its memory."""
    databases, spin = await Databases.of(clinic), machine.spin()
    await round_of(clinic, databases, _REAL)
    base = await read_base(clinic, referrals=_REAL)
    await copy(clinic, base, range(1, stored // _REAL))
    for connection in databases.by_service.values():
        await connection.execute("CHECKPOINT")
    worked = await round_of(clinic, databases, 200)
    memory = clinic.memory()
    await databases.close()
    return [
        Result(
            row="memory_after",
            transport="embedded",
            value=round(sum(memory.values()), 1),
            unit="MB",
            spin=round(spin, 2),
            details={
                "stored": stored,
                **{name: round(size, 1) for name, size in memory.items()},
                "cpu": {name: round(milliseconds, 2) for name, milliseconds in worked.cost.items()},
            },
        )
    ]


async def _cpu_a_second(clinic: RunningClinic) -> dict[str, float]:
    """Give the milliseconds of processor time in a second in which nothing is asked."""
    before = clinic.cpu()
    await asyncio.sleep(_IDLE_FOR)
    return {name: (seconds - before[name]) / _IDLE_FOR * 1000 for name, seconds in clinic.cpu().items()}
