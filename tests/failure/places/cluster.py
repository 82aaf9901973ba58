"""The shape of separate processes, on Kafka or on the PostgreSQL log: each process is killed by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Literal

import httpx

from deploy.cluster import Cluster
from deploy.folders import keys_folder
from deploy.services import SERVICES
from shared.clock import monotonic
from shared.db import Database
from tests.failure.audit.evidence import (
    Published,
    lag_on_postgres,
    positions,
    published_on_postgres,
    set_back,
)
from tests.failure.places import time
from tests.failure.places.kafka_logs import KafkaLogs
from tests.failure.places.place import Databases
from tests.support.folders import open_folder
from tests.support.mailbox import Mailbox, open_mailbox

Transport = Literal["kafka", "postgres"]
_BACK_WITHIN = 90.0
_LOOKS_EVERY = 0.05
KILLED = -9


class ClusterPlace:
    """A cluster in a folder of its own, and its mail server."""

    def __init__(self, cluster: Cluster, mailbox: Mailbox, *, transport: Transport) -> None:
        self.cluster = cluster
        self.mailbox = mailbox
        self.transport = transport
        self.name = f"cluster on {transport}"
        self.may_repeat = transport == "kafka"
        self.keys: Path = keys_folder(cluster.data)
        self.scheduling: Database | None = None
        self._kafka_logs: KafkaLogs | None = None

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self.cluster.url

    @property
    def targets(self) -> Sequence[str]:
        """The processes of the services; stores, issuer and gateway have scenarios of their own."""
        return [name for name in self.cluster.processes if name.split("-")[0] in SERVICES]

    async def kill(self, target: str) -> None:
        """Kill a process."""
        self.cluster.kill(target)

    async def start(self, target: str, *, failpoint: str = "") -> None:
        """Start a process again; it is not yet ready."""
        self.cluster.start_process(target, environment={"LUMBAR_FAILPOINT": failpoint})

    async def ready(self) -> float:
        """Wait until every process is ready."""
        begin = monotonic()
        await asyncio.to_thread(self.cluster.wait_until_ready)
        return monotonic() - begin

    async def is_back(self, target: str) -> bool:
        """Wait until a process is ready; tell that it was not where it was killed before.

        Raises AssertionError where it ends by itself.
        """
        deadline = monotonic() + _BACK_WITHIN
        process, address = self.cluster.processes[target], self.cluster.address(target)
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            while process.poll() is None:
                try:
                    if (await http.get(f"{address}/readyz")).status_code == 200:
                        return True
                except httpx.TransportError:
                    pass
                if monotonic() > deadline:
                    raise AssertionError(
                        f"{target} is not back after {_BACK_WITHIN:g} s: {self.tail(target)}"
                    )
                await asyncio.sleep(_LOOKS_EVERY)
        if process.returncode != KILLED:
            raise AssertionError(f"{target} ended with {process.returncode}: {self.tail(target)}")
        return False

    def tail(self, target: str) -> str:
        """Give the end of what a process wrote."""
        return (self.cluster.logs / f"{target}.log").read_text(errors="replace")[-2000:]

    @asynccontextmanager
    async def databases(self) -> AsyncIterator[Databases]:
        """Open the databases of all services."""
        found = {name: Database.connect(self.cluster.database_url(name), name=name) for name in SERVICES}
        try:
            yield found
        finally:
            for database in found.values():
                await database.close()

    async def published(self, databases: Databases) -> Mapping[str, Sequence[Published]]:
        """Read the topics where they are."""
        if self.cluster.kafka is None:
            return await published_on_postgres(databases)
        return await asyncio.to_thread(self._logs().published)

    async def lag(self, databases: Databases) -> Mapping[str, int]:
        """Compare positions and ends."""
        if self.cluster.kafka is None:
            return await lag_on_postgres(databases)
        return await asyncio.to_thread(self._logs().lag, await positions(databases))

    async def set_back(self, databases: Databases) -> int:
        """Set every group back to the first record of each log, and tell how many records that is."""
        return await set_back(databases)

    def _logs(self) -> KafkaLogs:
        if self._kafka_logs is None:
            assert self.cluster.kafka is not None
            self._kafka_logs = KafkaLogs(self.cluster.kafka)
        return self._kafka_logs

    async def days_pass(self, appointment: str) -> None:
        """Move an appointment into the past."""
        if self.scheduling is None:
            self.scheduling = Database.connect(self.cluster.database_url("scheduling"), name="scheduling")
        await time.days_pass(self.scheduling, appointment)


@asynccontextmanager
async def open_cluster(
    transport: Transport,
    *,
    replicas: int = 1,
    durable: bool = False,
    disk: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> AsyncIterator[ClusterPlace]:
    """Start a cluster, ready or not; nothing of it is left after the block.

    `disk` is entered with the cluster's folder before anything is in it.
    """
    with open_folder() as folder, disk(folder / "cluster"):
        async with open_mailbox() as mailbox:
            cluster = Cluster(
                folder / "cluster",
                transport=transport,
                replicas=replicas,
                environment={"LUMBAR_SMTP_URL": mailbox.url},
                durable=durable,
            )
            with cluster:
                cluster.start()
                place = ClusterPlace(cluster, mailbox, transport=transport)
                try:
                    yield place
                finally:
                    if place.scheduling is not None:
                        await place.scheduling.close()
