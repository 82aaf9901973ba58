"""What ends `lumbar up`, and what ends under it: it is gone in seconds, leaves nothing, and starts again."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from shared.auth.assertion import TokenRefused, fetch_token
from shared.clock import monotonic
from tests.failure.referrals import new_key, routine_referral
from tests.support.eventually import eventually
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess

pytestmark = pytest.mark.xdist_group("a clinic that is stopped")

SENDER = "family-practice"
_NUMBERS = iter(range(1, 1_000_000))
# Seven seconds by the clinic's own limits; the rest is for a busy machine.
ENDS_WITHIN = 12.0


@pytest.fixture(scope="module")
def place() -> Iterator[LumbarProcess]:
    with open_folder() as folder, LumbarProcess(folder / "data") as clinic:
        yield clinic


@pytest.fixture
def clinic(place: LumbarProcess) -> LumbarProcess:
    """The clinic of this module, up and ready, with a log that begins here."""
    if place.process is None or place.process.poll() is not None:
        place.log.unlink(missing_ok=True)
        place.start()
    place.wait_until_ready()
    return place


class Busy:
    """Requests without a pause and an open feed; what was answered, by status, and what broke off."""

    def __init__(self, clinic: LumbarProcess) -> None:
        self.answers: Counter[int | str] = Counter()
        self.retry_after: set[str | None] = set()
        self.slowest = 0.0
        self.acknowledged: list[str] = []
        self.streaming = asyncio.Event()
        self._clinic = clinic

    async def send(self, http: httpx.AsyncClient, token: str) -> None:
        """Send referrals, one after the other."""
        while True:
            identifier, body = routine_referral(next(_NUMBERS))
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
            begin = monotonic()
            try:
                answer = await http.post(
                    "/referral/fhir", content=body, headers=headers | {"Idempotency-Key": new_key()}
                )
            except httpx.TransportError as broken:
                self.answers[type(broken).__name__] += 1
                await asyncio.sleep(0.05)
                continue
            self.answers[answer.status_code] += 1
            self.slowest = max(self.slowest, monotonic() - begin)
            if answer.status_code == 200:
                self.acknowledged.append(identifier)
            if answer.status_code == 503:
                self.retry_after.add(answer.headers.get("Retry-After"))

    async def listen(self, http: httpx.AsyncClient, token: str) -> None:
        """Hold a feed open until the clinic ends it."""
        headers = {"Authorization": f"Bearer {token}"}
        with contextlib.suppress(httpx.TransportError):
            async with http.stream("GET", "/notifications/feed", headers=headers) as stream:
                assert stream.status_code == 200
                async for _ in stream.aiter_bytes():
                    self.streaming.set()


@asynccontextmanager
async def busy(clinic: LumbarProcess) -> AsyncIterator[Busy]:
    """Keep a clinic busy for the length of the block."""
    work = Busy(clinic)
    async with httpx.AsyncClient(base_url=clinic.url, timeout=15) as http:
        token = await fetch_token(clinic.url, SENDER, clinic.data / "keys", http=http)
        tasks = [asyncio.create_task(work.listen(http, token), name="feed")]
        tasks += [asyncio.create_task(work.send(http, token), name=f"lane {lane}") for lane in range(3)]
        try:
            await eventually(lambda: work.streaming.is_set() and work.answers[200] >= 3, within=30)
            yield work
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_amid_requests_and_a_feed_is_quick_clean_and_forgets_nothing(
    clinic: LumbarProcess, asked: signal.Signals
) -> None:
    async with busy(clinic) as work:
        begin = monotonic()
        clinic.process.send_signal(asked)
        status = await asyncio.to_thread(clinic.process.wait, 30)
        took = monotonic() - begin
    assert (status, took < ENDS_WITHIN) == (0, True), (took, clinic.tail())
    assert left_running(clinic.data) == []
    assert {answer for answer in work.answers if isinstance(answer, int)} == {200}
    assert failures(clinic) == []
    clinic.start()
    clinic.wait_until_ready()
    await expect_all(clinic, work.acknowledged)
    assert failures(clinic) == []


@pytest.mark.timeout(300)
async def test_a_killed_one_starts_again_at_once_on_the_same_folder(clinic: LumbarProcess) -> None:
    async with busy(clinic) as work:
        clinic.kill()
        clinic.start()
        await asyncio.to_thread(clinic.wait_until_ready)
    await expect_all(clinic, work.acknowledged)
    assert len(left_running(clinic.data)) == 1


@pytest.mark.timeout(300)
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_amid_the_start_is_heard(place: LumbarProcess, asked: signal.Signals) -> None:
    if place.process is not None and place.process.poll() is None:
        place.stop()
    place.start()
    begin = monotonic()
    while not left_running(place.data):
        assert monotonic() - begin < 30, place.tail()
    place.process.send_signal(asked)
    assert place.process.wait(30) == 0, place.tail()
    assert left_running(place.data) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_clinic_whose_database_ends_says_503_and_ends_with_one_line(
    clinic: LumbarProcess, how: signal.Signals
) -> None:
    async with busy(clinic) as work:
        [server] = left_running(clinic.data)
        before = work.answers[503]
        os.kill(server, how)
        begin = monotonic()
        readiness = await watch_readiness(clinic)
        status = await asyncio.to_thread(clinic.process.wait, 30)
        took = monotonic() - begin
    assert (status, took < ENDS_WITHIN) == (2, True), (took, clinic.tail())
    assert [line for line in failures(clinic) if line["event"] == "request.failed"] == []
    assert {answer for answer in work.answers if isinstance(answer, int)} <= {200, 503}
    assert work.answers[503] > before
    assert work.retry_after == {"1"}
    assert work.slowest < 5
    # Its connections outlive a killed server for a moment, and it may be gone before anybody has asked.
    assert readiness <= {200, 503}
    said = [line for line in clinic.log.read_text().splitlines() if not line.startswith("{")]
    assert said[-1].startswith("lumbar: the embedded database has ended by itself"), said
    assert "Traceback" not in clinic.log.read_text()
    clinic.start()
    clinic.wait_until_ready()
    await expect_all(clinic, work.acknowledged)


@pytest.mark.timeout(300)
async def test_a_killed_connection_makes_the_database_recover_and_the_clinic_goes_on(
    clinic: LumbarProcess,
) -> None:
    async with busy(clinic) as work:
        [server] = left_running(clinic.data)
        os.kill(connections_of(server)[0], signal.SIGKILL)
        await eventually(lambda: work.answers[503] > 0, within=10)
        answered = work.answers[200]
        await eventually(lambda: work.answers[200] > answered + 3, within=30)
    assert {answer for answer in work.answers if isinstance(answer, int)} == {200, 503}
    assert clinic.process.poll() is None
    clinic.wait_until_ready()
    await expect_all(clinic, work.acknowledged)


async def watch_readiness(clinic: LumbarProcess) -> set[int]:
    """Ask whether the clinic is ready until it is gone, and give every status that it answered."""
    seen = set()
    async with httpx.AsyncClient(base_url=clinic.url, timeout=10) as http:
        with contextlib.suppress(httpx.TransportError):
            while clinic.process.poll() is None:
                seen.add((await http.get("/readyz")).status_code)
                await asyncio.sleep(0.02)
    return seen


async def expect_all(clinic: LumbarProcess, identifiers: list[str]) -> None:
    """Expect every acknowledged referral to be there, once."""
    async with httpx.AsyncClient(base_url=clinic.url, timeout=15) as http:
        token = await fetch_patiently(clinic, http)
        for identifier in identifiers:
            found = await http.get(
                "/referral/fhir/ServiceRequest",
                params={"identifier": identifier},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert found.json()["total"] == 1, identifier


async def fetch_patiently(clinic: LumbarProcess, http: httpx.AsyncClient) -> str:
    """Fetch a token; a connection that was lost while nobody used it costs the first asker a 503."""
    for _ in range(3):
        with contextlib.suppress(TokenRefused):
            return await fetch_token(clinic.url, SENDER, clinic.data / "keys", http=http)
    return await fetch_token(clinic.url, SENDER, clinic.data / "keys", http=http)


def left_running(data: Path) -> list[int]:
    """Name the servers that run on this data folder, by the command line of their first process.

    A server forks for each connection, and until the child has named itself it bears its parent's line.
    """
    wanted = os.fsencode(data / "postgres")
    parents: dict[int, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (process / "cmdline").read_bytes().split(b"\0"):
                parents[int(process.name)] = parent_of(process)
    return [pid for pid, parent in parents.items() if parent not in parents]


def parent_of(process: Path) -> int:
    """Name the parent of a process, by its entry in /proc."""
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


def connections_of(server: int) -> list[int]:
    """Name the processes of a server that work for a client."""
    told = subprocess.run(
        ["/bin/ps", "-ww", "-o", "pid=,command=", "--ppid", str(server)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(line.split()[0]) for line in told.stdout.splitlines() if "postgres: lumbar" in line]


def failures(clinic: LumbarProcess) -> list[dict[str, str]]:
    """Give the log's lines of errors."""
    lines = [json.loads(line) for line in clinic.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("level") in ("error", "critical")]
