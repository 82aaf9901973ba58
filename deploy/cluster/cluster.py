"""A cluster on this machine: started, killed in parts, stopped; nothing of it outlives this process.

Invariants:
- Every process is our child and dies with us; all are started from the main thread.
- A process started again has its address again, so the others find it.
- Processes that end by themselves stay ended: who wants them back starts them (`supervise` does).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, Self

import httpx

from deploy.cluster.children import spawn, stop_all, without_settings
from deploy.cluster.place import ClusterError, Running, announce, database_folder, take
from deploy.cluster.ports import PortBlock
from deploy.cluster.settings import WEB, Plan, all_names, broker_settings
from deploy.embedded import EmbeddedPostgres
from deploy.kafka import LocalKafka
from deploy.services import SERVICES
from deploy.shape import GATEWAY, ISSUER

if TYPE_CHECKING:
    from shared.events.transport.kafka.address import KafkaAddress

POSTGRES = "postgres"
KAFKA = "kafka"
_STOPS_WITHIN = 20.0
_PREPARED_WITHIN = 180.0
_NONE: Mapping[str, str] = {}


class Cluster:
    """Kafka (or the PostgreSQL log), PostgreSQL, the issuer, the gateway, the portal and all services.

    `environment` goes to every process of ours beside its own settings; `durable=False` is for tests whose
    subject is no crash of the machine; `kafka` is one that runs already, instead of its own. `processes`
    holds what was started last under each name.
    """

    def __init__(
        self,
        data: Path,
        *,
        transport: Literal["kafka", "postgres"],
        replicas: int = 2,
        environment: Mapping[str, str] = _NONE,
        port: int = 0,
        durable: bool = True,
        kafka: "KafkaAddress | None" = None,
    ) -> None:
        names = all_names(replicas)
        self._ports = PortBlock.take(len(names))
        ports = dict(zip(names, self._ports.ports, strict=True))
        self.data = data.absolute()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._plan = Plan(
            folder=self.data,
            transport=transport,
            replicas=replicas,
            ports=ports | ({GATEWAY: port} if port else {}),
        )
        self._environment = dict(environment)
        self._durable = durable
        self._names = names
        self._postgres: EmbeddedPostgres | None = None
        self._kafka: LocalKafka | None = None
        self._given_kafka = kafka
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The public address: the gateway's."""
        return self._plan.url

    @property
    def logs(self) -> Path:
        """The folder with a log file for each process."""
        return self.data / "logs"

    @property
    def kafka(self) -> "KafkaAddress | None":
        """Where its Kafka is; None on the PostgreSQL log."""
        from shared.events.transport.kafka.address import KafkaAddress

        if self._kafka is not None:
            return KafkaAddress(bootstrap=self._kafka.bootstrap)
        return self._given_kafka

    def address(self, name: str) -> str:
        """Give the address of one process, to ask it past the gateway."""
        return self._plan.address(name)

    def database_url(self, service: str) -> str:
        """Give the address of a service's database for the superuser, who may look at and end everything."""
        if self._postgres is None:
            raise ClusterError("the cluster's PostgreSQL was not started")
        return self._postgres.url(service)

    def start(self) -> None:
        """Start everything; returns when every process was started. Raises ClusterError, all stopped."""
        self._lock = take(self.data)
        self.logs.mkdir(exist_ok=True)
        with ExitStack() as undo:
            undo.callback(self.stop)
            self._start_stores()
            self.start_process(ISSUER)
            self.start_process(GATEWAY)
            for name in self._names_of("worker"):
                self.start_process(name)
            self.wait_until_ready(names=[ISSUER])
            for name in [*self._names_of("api"), *self._names_of(WEB)]:
                self.start_process(name)
            undo.pop_all()
        announce(
            self.data,
            Running(
                pid=os.getpid(),
                url=self.url,
                transport=self._plan.transport,
                kafka=self.kafka.bootstrap if self.kafka else None,
            ),
        )

    def start_process(self, name: str, *, environment: Mapping[str, str] = _NONE) -> None:
        """Start one process, or start it again, with these settings beside its own."""
        known = self.processes.get(name)
        if known is not None and known.poll() is None:
            raise ClusterError(f"{name} runs already")
        if name == POSTGRES:
            self._start_postgres()
        elif name == KAFKA:
            self._start_kafka()
        else:
            settings = without_settings(os.environ) | self._plan.of(name) | self._environment
            self.processes[name] = spawn(
                self._command(name), environment={**settings, **environment}, log=self.logs / f"{name}.log"
            )

    def kill(self, name: str) -> None:
        """Kill a process from outside, as the kernel or a power cut would."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop_process(self, name: str, *, within: float = _STOPS_WITHIN) -> int:
        """Ask a process to stop, and give its exit status."""
        self.processes[name].terminate()
        return self.processes[name].wait(within)

    def wait_until_ready(self, *, within: float = 120.0, names: Sequence[str] | None = None) -> None:
        """Wait until these processes (all of ours that run) say that they are ready; raises ClusterError."""
        deadline = time.monotonic() + within
        asked = self._names if names is None else names
        waiting = [name for name in asked if name in self.processes]
        with httpx.Client(timeout=5, trust_env=False) as http:
            while waiting := [name for name in waiting if not self._ready(name, http)]:
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"not ready after {within:g} s: {', '.join(waiting)} (see {self.logs})"
                    )
                time.sleep(0.05)

    def is_ready(self) -> bool:
        """Tell whether every process of ours runs and says that it is ready."""
        with httpx.Client(timeout=5, trust_env=False) as http:
            return all(self._answers(name, http) for name in self._names)

    def stop(self) -> None:
        """Stop everything, who is asked before who answers; whatever does not stop is killed."""
        of_role = [self.processes[name] for name in self._names if name in self.processes]
        gateway = self.processes.get(GATEWAY)
        stop_all([gateway] if gateway else [], within=_STOPS_WITHIN)
        stop_all(of_role, within=_STOPS_WITHIN)
        if self._kafka is not None:
            self._kafka.stop()
        if self._postgres is not None:
            self._postgres.stop()
        if self._lock is not None:
            self._lock.close()
        self._ports.close()
        self._kafka = self._postgres = self._lock = None
        self.processes.clear()

    def _start_stores(self) -> None:
        """Start PostgreSQL, and Kafka while the databases are being prepared."""
        self._start_postgres()
        preparing = self._prepare()
        with ExitStack() as undo:
            undo.callback(stop_all, [preparing], within=_STOPS_WITHIN)
            if self._plan.transport == KAFKA and self._given_kafka is None:
                self._start_kafka()
            if self.kafka is not None:
                self._plan.broker = broker_settings(self.kafka)
            broker = json.dumps(dict(self._plan.broker)).encode() + b"\n"
            _, said = preparing.communicate(broker, timeout=_PREPARED_WITHIN)
        if preparing.returncode:
            last = said.decode(errors="replace").strip().splitlines()[-1:]
            raise ClusterError(f"the cluster could not be prepared: {''.join(last)}")

    def _prepare(self) -> subprocess.Popen[bytes]:
        clinic = {name: text for name, text in self._environment.items() if name == "LUMBAR_CLINIC"}
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.cluster.prepare"],
            env=without_settings(os.environ) | self._plan.owner() | clinic,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        first = {"server": self.database_url("postgres"), "passwords": self._plan.passwords}
        if process.stdin is not None:
            process.stdin.write(json.dumps(first).encode() + b"\n")
            process.stdin.flush()
        return process

    def _start_postgres(self) -> None:
        if self._postgres is not None:
            self._postgres.stop()
        folder = database_folder(self.data)
        self._postgres = EmbeddedPostgres.start(folder, durable=self._durable, with_roles=True)
        self._plan.socket = self._postgres.socket
        self.processes[POSTGRES] = self._postgres.process

    def _start_kafka(self) -> None:
        self._kafka = LocalKafka.start(self.data / KAFKA)
        self.processes[KAFKA] = self._kafka.process

    def _names_of(self, role: str) -> list[str]:
        return [name for name in self._names if name.split("-")[1:2] == [role]]

    def _command(self, name: str) -> list[str]:
        part, *role = name.split("-")[:2]
        of_role = ["--role", *role] if part in SERVICES else []
        return ["deploy.serve", part, *of_role, "--port", str(self._plan.ports[name])]

    def _ready(self, name: str, http: httpx.Client) -> bool:
        if self.processes[name].poll() is not None:
            said = (self.logs / f"{name}.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise ClusterError(f"{name} has ended: {''.join(said)}")
        return self._answers(name, http)

    def _answers(self, name: str, http: httpx.Client) -> bool:
        try:
            return http.get(f"{self._plan.address(name)}/readyz").status_code == 200
        except httpx.TransportError:
            return False
