"""The same processes on the PostgreSQL log, by `lumbar cluster up`: one of each, as a person starts it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.cluster import running_cluster
from deploy.services import SERVICES
from tests.support.browser import Browser
from tests.support.eventually import eventually
from tests.support.folders import open_folder
from tests.support.process import LUMBAR, free_port, lumbar
from tests.support.sign_in import Tokens, demo_tokens

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("a cluster on PostgreSQL")]
ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
PATIENCE = 300.0


@dataclass(kw_only=True)
class Started:
    """`lumbar cluster up` in a data folder."""

    data: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> dict[str, str]:
        """What a person has set."""
        return {"LUMBAR_DATA": str(self.data), "LUMBAR_URL": f"http://127.0.0.1:{self.port}"}

    def is_up(self) -> bool:
        """Tell whether it has said where it is up; fails where it has ended instead."""
        assert self.process.poll() is None, self.log.read_text()
        return f"Lumbar's cluster is up at http://127.0.0.1:{self.port} " in self.log.read_text()

    def children(self) -> list[int]:
        """Find every process that belongs to this cluster, by its folder or its parent."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.data).encode() in said and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with open_folder() as folder:
        port, log = free_port(), folder / "up.log"
        process = start_up(folder / "data", port=port, log=log)
        running = Started(data=folder / "data", port=port, log=log, process=process)
        try:
            # Each test may be the first on its machine's core: none relies on another to have waited.
            until = time.monotonic() + PATIENCE
            while not running.is_up() and time.monotonic() < until:
                time.sleep(0.2)
            yield running
        finally:
            process.kill()
            process.wait()


async def test_it_says_in_one_line_where_it_is_up(started: Started) -> None:
    assert started.is_up()


async def test_a_person_signs_in_sees_pages_and_is_signed_out_in_every_browser(started: Started) -> None:
    url = f"http://127.0.0.1:{started.port}"
    async with httpx.AsyncClient(base_url=url, follow_redirects=True, timeout=60) as http:
        browser = Browser(http)
        seen = await browser.sign_in("family-practice")
        assert (seen.path, "Elm Street Family Practice" in seen.text) == ("/referrals", True)
        async with httpx.AsyncClient(base_url=url, cookies=http.cookies, timeout=60) as stolen:
            await browser.send(seen, seen.form("/sign-out"))
            assert (await Browser(stolen).open("/referrals")).path.startswith("/auth/")


async def test_the_readmes_calls_work_as_they_are_written(started: Started, tmp_path: Path) -> None:
    calls = "\n".join(re.findall(r"^```sh\n(.*?)^```", section(README, "Use it"), re.M | re.S))
    sent, _, rest = calls.partition("ID=$(")
    feed = rest.index("curl -sN")
    script = sent + "ID=$(" + rest[:feed] + "timeout 6 " + rest[feed:]
    script = script.replace("http://127.0.0.1:8080", started.settings["LUMBAR_URL"])
    (tmp_path / ".venv").symlink_to(Path(LUMBAR).parents[1])
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("LUMBAR_")}

    def told() -> str:
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=kept | started.settings, capture_output=True, text=True
        )
        assert "transaction-response" in ran.stdout, ran.stdout + ran.stderr
        assert '"status":"booked"' in ran.stdout, ran.stdout
        assert "event: appointment.booked" in ran.stdout, ran.stdout
        return ran.stdout

    assert '"name":"return"' in await eventually(told, within=PATIENCE)
    tail = lumbar("events", "tail", "--topic", "lumbar.scheduling", LUMBAR_DATA=str(started.data))
    assert "appointment.booked" in tail.stdout, tail.stderr


async def test_commands_find_the_cluster_that_runs(started: Started) -> None:
    held = lumbar("dead-letters", "list", LUMBAR_DATA=str(started.data))
    assert (held.returncode, held.stdout) == (0, "nothing is held\n"), held.stderr


async def test_a_person_signs_in_at_the_gateway_and_is_out_everywhere_once_signed_out(
    started: Started,
) -> None:
    url = started.settings["LUMBAR_URL"]

    async def signed_in() -> Tokens | None:
        async with httpx.AsyncClient(base_url=url) as http:
            try:
                return await demo_tokens(http, "coordinator", base_url=url)
            except (httpx.HTTPError, KeyError):
                return None

    tokens = await eventually(signed_in, within=PATIENCE)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    paths = ("/referral/fhir/ServiceRequest", "/scheduling/fhir/Appointment", "/careteam/fhir/Task")
    async with httpx.AsyncClient(base_url=url, headers=bearer) as http:
        assert [(await http.get(path)).status_code for path in paths] == [200, 200, 200]
        await http.post("/auth/end-session", data={"id_token_hint": tokens["id_token"]})
        assert [(await http.get(path)).status_code for path in paths] == [401, 401, 401]


async def test_an_operator_reads_the_health_of_every_service_from_its_api(started: Started) -> None:
    printed = lumbar("token", "operator", **started.settings)
    assert printed.returncode == 0, printed.stderr
    bearer = {"Authorization": f"Bearer {printed.stdout.strip()}"}
    async with httpx.AsyncClient(base_url=started.settings["LUMBAR_URL"], headers=bearer) as http:

        async def lags() -> dict[str, dict[str, int]]:
            found = {}
            for service in SERVICES:
                health = (await http.get(f"/{service}/health")).json()
                assert health["database"] == "up", health
                found[service] = {one["topic"]: one["events"] for one in health["lag"]}
            return found

        async def all_written() -> bool:
            return all((await lags()).values())

        await eventually(all_written, within=PATIENCE)
        assert set((await lags())["scheduling"]) >= {"lumbar.referral", "lumbar.careteam"}
        assert (await http.get("/referral/dead-letters")).json() == {"total": 0, "rows": []}


async def test_people_of_the_cluster_that_runs_are_invited(started: Started) -> None:
    given = ("people", "invite", "maja", "--name", "Maja", "--client", "physiotherapist")
    invited = lumbar(*given, LUMBAR_DATA=str(started.data))
    assert invited.stdout.startswith(f"{started.settings['LUMBAR_URL']}/auth/invitation?link="), (
        invited.stderr
    )
    listed = lumbar("people", "list", LUMBAR_DATA=str(started.data))
    assert listed.stdout == "maja\tMaja\tphysiotherapist\tinvited\n"


async def test_a_process_that_is_killed_comes_back(started: Started) -> None:
    before = set(started.children()) - {started.process.pid}
    victim = next(pid for pid in before if b"careteam\0--role\0api" in command_line(pid))
    os.kill(victim, signal.SIGKILL)

    def back() -> bool:
        return any(
            b"careteam\0--role\0api" in command_line(pid) and pid != victim for pid in started.children()
        )

    await eventually(back, within=PATIENCE, every=0.1)


async def test_a_second_one_on_the_same_folder_is_told_so(started: Started) -> None:
    refused = lumbar("cluster", "up", "--port", str(free_port()), LUMBAR_DATA=str(started.data))
    assert refused.returncode == 2
    assert refused.stderr == (
        f"lumbar: a cluster runs in {started.data / 'cluster'} already; `lumbar cluster down` stops it\n"
    )


async def test_down_stops_all_of_it(started: Started) -> None:
    assert running_cluster(started.data / "cluster") is not None
    stopped = lumbar("cluster", "down", LUMBAR_DATA=str(started.data))
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert started.process.wait(120) == 0
    assert started.children() == []
    refused = lumbar("cluster", "down", LUMBAR_DATA=str(started.data))
    assert (refused.returncode, refused.stderr) == (
        2,
        f"lumbar: no cluster runs in {started.data / 'cluster'}\n",
    )


async def test_a_killed_supervisor_takes_everything_with_it(started: Started) -> None:
    ended = started.process.poll() is not None
    again = start_up(started.data, port=started.port, log=started.log) if ended else started.process
    await eventually(lambda: len(started.children()) > 8, within=PATIENCE, every=0.1)
    again.kill()
    again.wait()
    await eventually(lambda: started.children() == [], within=PATIENCE, every=0.1)


def start_up(data: Path, *, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start `lumbar cluster up` as a person does."""
    command = [LUMBAR, "cluster", "up", "--port", str(port), "--replicas", "1", "--transport", "postgres"]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("LUMBAR_")}
    with log.open("ab") as output:
        return subprocess.Popen(command, env=kept | {"LUMBAR_DATA": str(data)}, stdout=output, stderr=output)


def section(text: str, title: str) -> str:
    """Give one section of a page."""
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def command_line(pid: int) -> bytes:
    """Give the command line of a process, nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
