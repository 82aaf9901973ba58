"""One cluster under one fault after the other; what the clients know of it grows from fault to fault."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

from shared.clock import monotonic
from tests.failure.full.row import Row, kinds
from tests.failure.full.watch import Watch
from tests.failure.healing import heal_and_audit
from tests.failure.history import History, Outcome
from tests.failure.places.cluster import ClusterPlace
from tests.failure.scripts import PLAYS, Play
from tests.failure.traffic import Traffic


@dataclass(kw_only=True)
class Harm:
    """What a fault did: how often, for how long, and how long it took to come back."""

    injected: int
    recoveries: list[float] = field(default_factory=list)
    since: float = 0.0
    until: float = 0.0
    remarks: list[str] = field(default_factory=list)


Fault = Callable[["Run", Traffic], Awaitable[Harm]]


class Run:
    """A cluster, the chance of one seed, and everything that its clients know."""

    def __init__(self, place: ClusterPlace, *, seed: int, rows: list[Row]) -> None:
        self.place = place
        self.seed = seed
        self.chance = random.Random(seed)
        self.history = History()
        self.planted: set[str] = set()
        self.rows = rows
        self._numbers = count(1)
        self._known: set[str] = set()
        self._absorbed = 0

    async def under(
        self,
        name: str,
        fault: Fault,
        *,
        lanes: int = 4,
        plays: Mapping[Play, int] = PLAYS,
        steps: int = 0,
        pause: float = 0.3,
        within: float = 300.0,
    ) -> Row:
        """Play the traffic while a fault lasts, heal, drain and audit, and note the row."""
        own, begin = History(), monotonic()
        traffic = Traffic(
            self.place,
            history=own,
            chance=self.chance,
            numbers=self._numbers,
            plays=plays,
            lanes=lanes,
            steps=steps,
            pause=pause,
        )
        async with Watch(self.place) as watch:
            traffic.begin()
            try:
                harm = await fault(self, traffic)
            finally:
                await traffic.finish()
        self.history.absorb(own)
        row = await self._judge(name, own, harm, within=within)
        row.backlog, row.seconds = watch.backlog, monotonic() - begin
        row.absorbed += watch.repeated
        print(f"    {' | '.join(row.cells())}", flush=True)  # noqa: T201
        return row

    async def _judge(self, name: str, own: History, harm: Harm, *, within: float) -> Row:
        planted = frozenset(self.planted)
        evidence, findings = await heal_and_audit(self.place, self.history, planted=planted, within=within)
        new = [finding for finding in findings if finding not in self._known]
        self._known |= set(findings)
        row = Row(
            transport=self.place.transport,
            fault=name,
            injected=harm.injected,
            operations=len(own.operations),
            acknowledged=own.count(Outcome.ACKNOWLEDGED),
            failed=own.count(Outcome.FAILED),
            unknown=own.count(Outcome.UNKNOWN),
            unanswered=own.lost,
            recoveries=harm.recoveries,
            availability=own.availability(harm.since, harm.until or None),
            findings=new,
            remarks=harm.remarks,
            absorbed=evidence.repeated - self._absorbed,
        )
        self._absorbed = evidence.repeated
        self.rows.append(row)
        print(f"{row.transport}: {name}, seed {self.seed}: {kinds(new)}", flush=True)  # noqa: T201
        for finding in new[:20]:
            print(f"    {finding}", flush=True)  # noqa: T201
        return row
