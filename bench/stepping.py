"""Workers walked by hand, step by step in a fixed order, so that nothing is done twice and nothing polls."""

from collections.abc import Sequence

from bench.counting import LABEL, WATCHING
from bench.rest import Databases
from bench.running import Broken
from shared.events.polling_loop import PollingLoop
from shared.events.worker import Worker

_NOT_WALKED = ("timers", "held", "retention", "progress")
_MOST_ROUNDS = 200


async def walk(workers: Sequence[Worker], databases: Databases) -> None:
    """Let every relay, consumer and loop work until nothing moves; raises Broken where something was held.

    Timers stay where they are: care time stands still.
    """
    for worker in workers:
        if not worker.loops:
            worker.compose()
    for _ in range(_MOST_ROUNDS):
        moved = False
        for worker in workers:
            for repetition in worker.loops:
                if repetition.name not in _NOT_WALKED:
                    moved |= await _walk_one(worker, repetition, databases)
        if not moved:
            break
    if held := await databases.held():
        raise Broken(f"{held} keys are held: the path is not the main path any more")


async def _walk_one(worker: Worker, repetition: PollingLoop, databases: Databases) -> bool:
    """Repeat one step while there is something to do for it; tell whether there was."""
    moved = False
    while await _has_work(worker, repetition, databases):
        LABEL.set(f"{worker.service} {repetition.name}")
        busy = await repetition.step()
        LABEL.set(WATCHING)
        # A consumer is not busy where it has read all, though what it passed is written down later.
        moved |= busy or repetition.name != "consumer"
        if not busy:
            break
    return moved


async def _has_work(worker: Worker, repetition: PollingLoop, databases: Databases) -> bool:
    if repetition.name == "relay":
        return await databases.in_outbox(worker.service) > 0
    if repetition.name == "consumer":
        return await databases.lag(worker.service, topics=worker.topics) > 0
    return await databases.to_send() > 0
