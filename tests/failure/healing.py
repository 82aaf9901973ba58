"""After the faults: everything is started, drained, and handed to the auditor."""

import asyncio
from collections import Counter

from shared.clock import monotonic
from tests.failure.audit import Evidence, audit
from tests.failure.audit.drained import DUE, LEFT
from tests.failure.audit.evidence import rows
from tests.failure.history import History
from tests.failure.places import time
from tests.failure.places.place import Databases, Place
from tests.support.history import versions_of

_LOOKS_EVERY = 0.5
_RETRYING = "SELECT key FROM held_key WHERE state = 'retrying'"


async def heal_and_audit(
    place: Place, history: History, *, planted: frozenset[str] = frozenset(), within: float = 120.0
) -> tuple[Evidence, list[str]]:
    """Wait until the clinic is ready and nothing is on its way, and give what the auditor found."""
    await place.ready()
    async with place.databases() as databases:
        await time.leases_end(databases["notifications"])
        await drain(place, databases, planted=planted, within=within)
        history.letters = Counter(str(letter["Message-ID"]) for letter in place.mailbox.letters)
        evidence = Evidence(
            databases=databases,
            history=history,
            published=await place.published(databases),
            lag=await place.lag(databases),
            may_repeat=place.may_repeat,
            planted=planted,
        )
        return evidence, await audit(evidence)


async def drain(
    place: Place, databases: Databases, *, planted: frozenset[str] = frozenset(), within: float = 120.0
) -> float:
    """Wait until nothing is on its way in two readings in a row, and tell how many seconds that took.

    What is left when the time is up is for the auditor to say.
    """
    begin = monotonic()
    before: tuple[int, int] | None = None
    while monotonic() < begin + within:
        left = await backlog(place, databases, planted=planted)
        now = (left, await _progress(databases))
        if left == 0 and now == before:
            return monotonic() - begin
        before = now
        await asyncio.sleep(_LOOKS_EVERY)
    return monotonic() - begin


async def backlog(place: Place, databases: Databases, *, planted: frozenset[str] = frozenset()) -> int:
    """Count everything that is on its way, but what was planted to be held."""
    left = sum((await place.lag(databases)).values()) + await waiting(databases)
    for database in databases.values():
        left += sum(row["key"] not in planted for row in await rows(database, _RETRYING))
    return left


async def waiting(databases: Databases) -> int:
    """Count what waits in the databases: outboxes, timers and messages that are due."""
    left = 0
    for service, database in databases.items():
        for table in (*LEFT.values(), *((DUE,) if service == "notifications" else ())):
            left += int((await rows(database, f"SELECT count(*) AS left FROM {table}"))[0]["left"])
    return left


async def _progress(databases: Databases) -> int:
    """Count what was handled and what was said: both stand still when all is done."""
    total = 0
    for database in databases.values():
        for table in ("inbox", f"({await versions_of(database)}) AS every"):
            total += (await rows(database, f"SELECT count(*) AS left FROM {table}"))[0]["left"]
    return total
