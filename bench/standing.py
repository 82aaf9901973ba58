"""The rows of a clinic at rest: how fast `lumbar up` is ready from nothing, and the memory that it takes."""

import asyncio

from bench import machine
from bench.results import Result, median
from bench.running import running_clinic

ROUNDS = 3
_IDLE = 5.0


async def standing(*, transport: str, rounds: int = ROUNDS) -> list[Result]:
    """Start the example clinic in empty folders, each time anew, and let the last one idle."""
    took, spins, memory = [], [], {"python": 0.0, "postgres": 0.0}
    for _ in range(rounds):
        spins.append(machine.spin())
        with running_clinic(example=True) as clinic:
            took.append(clinic.ready_after)
            await asyncio.sleep(_IDLE if len(took) == rounds else 0)
            memory = clinic.memory()
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
    ]
