"""The rows of the main path: its rate beside its floor, its cost, and its latency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import machine
from bench.floor import Floor
from bench.rest import Databases
from bench.results import Result, against_floor, median
from bench.running import RunningClinic

ROUNDS = 3
_WARM = 60
_SECONDS = 6.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """One round of the real path: referrals per second, and processor milliseconds per referral by part."""

    rate: float
    cost: Mapping[str, float]


async def main_path(clinic: RunningClinic, *, transport: str, quick: bool) -> list[Result]:
    """Measure rate and cost in rounds with the floor between them."""
    databases = await Databases.of(clinic)
    warm = await round_of(clinic, databases, _WARM)
    seconds = _SECONDS / 2 if quick else _SECONDS
    count = max(60, int(warm.rate * seconds))
    rounds, floors, spins = [], [], []
    floor: Floor | None = None
    for _ in range(ROUNDS):
        spins.append(machine.spin())
        rounds.append(await round_of(clinic, databases, count))
        floor = floor or await Floor.of(clinic, databases)
        floors.append(await floor.write())
    after = {"referrals": await databases.done(), **clinic.memory()}
    await databases.close()
    return [
        against_floor(
            "main_path",
            transport,
            [(one.rate, floor) for one, floor in zip(rounds, floors, strict=True)],
            spins=spins,
            referrals=count * ROUNDS,
            memory_after={name: round(figure, 1) for name, figure in after.items()},
        ),
        _cost(rounds, transport=transport, spins=spins),
    ]


async def round_of(clinic: RunningClinic, databases: Databases, count: int, **options: int) -> Round:
    """Send referrals over 8 connections and wait until everything has come to rest."""
    before, total = clinic.cpu(), await databases.done() + count
    sent = await clinic.post(count, **options)
    ended = await databases.rest(total=total, within=60 + count / 2)
    used = {name: (seconds - before[name]) / count * 1000 for name, seconds in clinic.cpu().items()}
    return Round(rate=count / (ended - sent["begun"]), cost=used)


def _cost(rounds: Sequence[Round], *, transport: str, spins: Sequence[float]) -> Result:
    parts = {name: round(median([one.cost[name] for one in rounds]), 3) for name in rounds[0].cost}
    return Result(
        row="cpu_per_referral",
        transport=transport,
        value=round(median([sum(one.cost.values()) for one in rounds]), 3),
        unit="ms",
        spin=round(median(spins), 2),
        details=parts,
    )
