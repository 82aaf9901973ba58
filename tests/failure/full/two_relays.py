"""Two relays of one service at once: the old leader is cut off from PostgreSQL before a batch that it sends.

Its fail point holds it between the check of its epoch and the sending; its connections are ended meanwhile,
so the other replica takes the lead and sends the same events; then the old one wakes up and sends them too.
"""

import asyncio

from deploy.services import SERVICES
from shared.clock import monotonic
from tests.failure.audit.evidence import rows
from tests.failure.full.run import Fault, Harm, Run
from tests.failure.places.cluster import ClusterPlace
from tests.failure.traffic import Traffic

_HELD_UP = 3.0
_ROUND = 2.5
_OTHERS = (
    "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def two_relays(rounds: int) -> Fault:
    """Cut the leader of each service off so many times."""

    async def fault(run: Run, traffic: Traffic) -> Harm:
        begin = monotonic()
        for service in SERVICES:
            await _hold_up(run.place, f"{service}-worker-0")
        for _ in range(rounds):
            await asyncio.sleep(_ROUND)
            await _cut_off(run.place)
        until = monotonic()
        for service in SERVICES:
            await run.place.kill(f"{service}-worker-0")
            await run.place.start(f"{service}-worker-0")
        return Harm(injected=rounds * len(SERVICES), since=begin, until=until)

    return fault


async def _hold_up(place: ClusterPlace, target: str) -> None:
    """Let a worker stand still for a while before it sends anything."""
    await place.kill(target)
    await place.start(target, failpoint=f"before_send:sleep={_HELD_UP}@*")


async def _cut_off(place: ClusterPlace) -> None:
    async with place.databases() as databases:
        for database in databases.values():
            await rows(database, _OTHERS)
