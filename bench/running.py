"""A clinic to measure: `lumbar up` in a process of its own, with its databases, tokens and figures."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from bench import machine
from bench.clinic import EXAMPLE, write_clinic
from bench.load import Orders
from deploy.embedded import running_server, server_url
from deploy.folders import keys_folder
from deploy.services import SERVICES
from shared.auth.assertion import fetch_token

ROOT = Path(__file__).parents[1]
_READY_WITHIN = 60.0
SERVICE_NAMES = SERVICES


class Broken(Exception):
    """A measurement cannot be taken; the text says why."""


class RunningClinic:
    """One clinic process with its data folder."""

    def __init__(
        self,
        folder: Path,
        process: "subprocess.Popen[Any]",
        *,
        port: int,
        ready_after: float,
        broker: int | None = None,
    ) -> None:
        self.folder = folder
        self.process = process
        self.port = port
        self.ready_after = ready_after
        self.broker = broker
        self.next_number = 0
        self._tokens: dict[str, tuple[float, str]] = {}

    @property
    def url(self) -> str:
        """The address of the clinic."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def database_url(self, service: str) -> str:
        """Give the address of a database of its server."""
        place = running_server(self.data)
        if place is None:
            raise Broken("the clinic's database does not run")
        return server_url(place, service)

    async def connect(self, service: str) -> asyncpg.Connection:
        """Connect to a service's database."""
        return await asyncpg.connect(self.database_url(service))

    async def token(self, client: str) -> str:
        """Give a client's token, kept for 4 of its 5 minutes as a client does."""
        known = self._tokens.get(client)
        if known is None or known[0] < time.monotonic():
            async with httpx.AsyncClient() as http:
                token = await fetch_token(self.url, client, keys_folder(self.data), http=http)
            known = self._tokens[client] = (time.monotonic() + 240, token)
        return known[1]

    async def post(self, count: int, **options: Any) -> dict[str, Any]:
        """Let the generator send so many new referrals, and give what came of it; raises Broken."""
        orders = Orders(
            port=self.port,
            path="/referral/fhir",
            token=await self.token("family-practice"),
            first=self.next_number,
            count=count,
            **options,
        )
        self.next_number += count
        sent = await generate(orders)
        if sent["failures"]:
            raise Broken(f"the clinic answered {sent['failures']}; see {self.folder / 'log'}")
        return sent

    def cpu(self) -> dict[str, float]:
        """Give the processor seconds so far."""
        used = machine.cpu(self.process.pid)
        return used if self.broker is None else {**used, "kafka": machine.cpu(self.broker)["python"]}

    def memory(self) -> dict[str, float]:
        """Give the memory in MB."""
        return machine.memory(self.process.pid)

    def log_bytes(self) -> int:
        """Tell how much the process has logged."""
        return (self.folder / "log").stat().st_size

    def ask(self, command: str) -> dict[str, Any]:
        """Ask an instrumented clinic."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


async def generate(orders: Orders) -> dict[str, Any]:
    """Run the load generator, a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        limit=1 << 28,
    )  # fmt: skip
    answer, _ = await process.communicate(json.dumps(_as_json(orders)).encode() + b"\n")
    if process.returncode:
        raise Broken("the load generator failed")
    sent: dict[str, Any] = json.loads(answer)
    return sent


def _as_json(orders: Orders) -> dict[str, Any]:
    return {name: getattr(orders, name) for name in orders.__dataclass_fields__}


@contextmanager
def running_clinic(
    module: str = "", *given: str, broker: int | None = None, example: bool = False
) -> Iterator[RunningClinic]:
    """Start a clinic from nothing, and remove everything at the end; the database writes durably.

    It is `lumbar up`, or a `module` of bench that puts the same together and takes DATA CLINIC PORT and what
    is given. `broker` is the process of the Kafka that it uses; `example` takes the example clinic.
    """
    folder = Path(tempfile.mkdtemp(prefix="lumbar-bench-"))
    folder.chmod(0o711)
    clinic = EXAMPLE if example else write_clinic(folder / "clinic.yaml")
    port, data = free_port(), str(folder / "data")
    command = [module, data, str(clinic), str(port), *given]
    if not module:
        command = ["deploy.cli", "up", "--data", data, "--port", str(port)]
    began = time.monotonic()
    try:
        with started(*command, log=folder / "log", environment={"LUMBAR_CLINIC": str(clinic)}) as process:
            yield RunningClinic(
                folder, process, port=port, ready_after=time.monotonic() - began, broker=broker
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def lines_of(module: str, *given: str) -> list[str]:
    """Run `python -m module` to its end and give what it printed; raises Broken where it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *given, cwd=ROOT, stdout=subprocess.PIPE, limit=1 << 28
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise Broken(f"{module} failed")
    return printed.decode().splitlines()


@contextmanager
def started(
    module: str, *given: str, log: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run `python -m module` once it has said its first line; raises Broken where it ends before that."""
    errors = log.open("w") if log is not None else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, "-m", module, *given],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise Broken(f"{module} did not start: {log.read_text()[-2000:] if log else ''}")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_READY_WITHIN)


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        number: int = listener.getsockname()[1]
        return number
