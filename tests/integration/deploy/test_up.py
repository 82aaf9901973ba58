"""`lumbar up` and the commands beside it, as a person at a terminal meets them."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar

pytestmark = pytest.mark.xdist_group("a clinic that is up")

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"


@pytest.fixture(scope="module")
def clinic() -> Iterator[LumbarProcess]:
    with open_folder() as folder, LumbarProcess(folder / "data") as running:
        running.start()
        running.wait_until_ready()
        yield running
        running.stop()


def test_it_says_in_one_line_where_it_is_up(clinic: LumbarProcess) -> None:
    told = [line for line in clinic.log.read_text().splitlines() if not line.startswith("{")]
    assert told == [
        f"Lumbar is up at {clinic.url} (data in {clinic.data}, Ctrl-C stops it); its pages: {clinic.url}/"
    ]


def test_everything_answers_on_one_port(clinic: LumbarProcess) -> None:
    found = {path: httpx.get(f"{clinic.url}{path}").status_code for path in (
        "/healthz", "/readyz", "/metrics", "/.well-known/smart-configuration", "/", "/referral/fhir/metadata",
        "/referral/fhir/.well-known/smart-configuration", "/careteam/fhir/.well-known/smart-configuration",
        "/scheduling/fhir/metadata", "/careteam/fhir/metadata", "/notifications/fhir/metadata",
        "/referral/fhir/Task",
    )}  # fmt: skip
    assert found.pop("/referral/fhir/Task") == 401
    assert set(found.values()) == {200}


def test_it_is_ready_when_every_database_answers_the_portals_too(clinic: LumbarProcess) -> None:
    needs = httpx.get(f"{clinic.url}/readyz").json()["needs"]
    databases = {need["service"] for need in needs if need["kind"] == "database"}
    assert databases == {"referral", "scheduling", "careteam", "notifications", "identity", "portal"}


def test_a_token_is_printed_and_nothing_else(clinic: LumbarProcess) -> None:
    given = lumbar("token", "coordinator", LUMBAR_URL=clinic.url, LUMBAR_DATA=str(clinic.data))
    assert (given.returncode, given.stderr) == (0, "")
    headers = {"Authorization": f"Bearer {given.stdout.strip()}"}
    assert httpx.get(f"{clinic.url}/referral/fhir/Task", headers=headers).status_code == 200


def test_an_unknown_client_is_told_who_there_is(clinic: LumbarProcess) -> None:
    refused = lumbar("token", "nobody", LUMBAR_URL=clinic.url, LUMBAR_DATA=str(clinic.data))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("lumbar: no client 'nobody'; allowed are family-practice,")


def test_a_client_that_signs_with_its_own_keys_is_told_that_no_token_is_made_for_it(
    clinic: LumbarProcess, tmp_path: Path
) -> None:
    described = EXAMPLE.read_text(encoding="utf-8").replace(
        "  - id: second-practice\n    party",
        "  - id: second-practice\n    jwks_url: https://keys.practice.example/\n    party",
    )
    (tmp_path / "clinic.yaml").write_text(described, encoding="utf-8")
    surroundings = {"LUMBAR_URL": clinic.url, "LUMBAR_CLINIC": str(tmp_path / "clinic.yaml")}
    refused = lumbar("token", "second-practice", **surroundings, LUMBAR_DATA=str(clinic.data))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "lumbar: 'second-practice' has registered its own keys in clinic.yaml, so it alone can sign"
        " for a token\n"
    )


def test_commands_attach_to_the_running_clinic(clinic: LumbarProcess) -> None:
    held = lumbar("dead-letters", "list", LUMBAR_DATA=str(clinic.data))
    assert (held.returncode, held.stdout) == (0, "nothing is held\n")
    versions = lumbar("migrate", LUMBAR_DATA=str(clinic.data))
    assert [line.split()[0] for line in versions.stdout.splitlines()] == [
        "referral",
        "scheduling",
        "careteam",
        "notifications",
    ]


def test_a_second_one_on_the_same_folder_is_told_so(clinic: LumbarProcess) -> None:
    refused = lumbar("up", "--port", "0", "--data", str(clinic.data))
    assert refused.returncode == 2
    assert plain(refused.stderr) == f"lumbar: the data folder {clinic.data} is in use by another process"


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = lumbar("up", "--port", str(port), "--data", str(tmp_path / "data"))
    assert (refused.returncode, plain(refused.stderr)[:30]) == (2, f"lumbar: --port {port}: cannot be"[:30])
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LUMBAR_DATE", "x"),
        ("LUMBAR_KAFKA_BOOTSTRAP", "broker:9092"),
        ("LUMBAR_SMTP_URL", "mailhost"),
        ("LUMBAR_SMTP_URL", "smtp://"),
        ("LUMBAR_SMTP_URL", "smtp://mailhost:99999"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path: Path, name: str, text: str) -> None:
    refused = lumbar("up", "--data", str(tmp_path / "data"), **{name: text})
    assert refused.returncode == 2
    assert plain(refused.stderr).startswith(f"lumbar: {name}: ")
    assert not (tmp_path / "data").exists()


def test_a_wrong_clinic_stops_the_start_with_one_line(tmp_path: Path) -> None:
    wrong = tmp_path / "clinic.yaml"
    wrong.write_text(EXAMPLE.read_text().replace("chair: physiatrist", "chair: nobody"))
    refused = lumbar("up", "--data", str(tmp_path / "data"), LUMBAR_CLINIC=str(wrong))
    assert refused.returncode == 2
    line = next(n for n, text in enumerate(wrong.read_text().splitlines(), 1) if "chair: nobody" in text)
    told = f"lumbar: {wrong}:{line}: sites[0].meeting.chair: there is no 'nobody'; allowed are "
    assert plain(refused.stderr).startswith(told)


@pytest.mark.parametrize("command", [("up", "--port", "0"), ("dead-letters", "list"), ("migrate",)])
@pytest.mark.parametrize("place", ["file", "closed"])
def test_a_data_folder_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, command: tuple[str, ...], place: str
) -> None:
    (tmp_path / "file").touch()
    # Root may write wherever the kernel allows it: there it is a folder of the kernel's own.
    closed = Path("/sys/kernel") if os.geteuid() == 0 else tmp_path / "closed"
    closed.mkdir(mode=0o500, exist_ok=True)
    data = closed if place == "closed" else tmp_path / "file"
    refused = lumbar(*command, LUMBAR_DATA=str(data))
    assert refused.returncode == 2
    assert plain(refused.stderr).startswith(f"lumbar: the data folder {data} cannot be used: ")


def test_a_password_in_a_wrong_setting_is_not_repeated(tmp_path: Path) -> None:
    refused = lumbar("up", "--data", str(tmp_path / "data"), LUMBAR_SMTP_URL="http://ann:hush@mailhost")
    assert refused.returncode == 2
    assert "hush" not in plain(refused.stderr)


def test_a_command_for_a_clinic_that_is_not_there_says_so(tmp_path: Path) -> None:
    refused = lumbar("dead-letters", "list", LUMBAR_DATA=str(tmp_path / "none"))
    assert refused.returncode == 2
    assert plain(refused.stderr).startswith("lumbar: there is no clinic in ")


def test_a_stop_is_clean_and_leaves_nothing_running() -> None:
    with open_folder() as folder, LumbarProcess(folder / "data") as running:
        running.start()
        running.wait_until_ready()
        assert running.stop() == 0
        assert not (folder / "data" / "postgres" / "postmaster.pid").exists()
        logs = [json.loads(line) for line in running.log.read_text().splitlines() if line.startswith("{")]
        assert [line for line in logs if line.get("level") in ("error", "critical")] == []


def plain(told: str) -> str:
    """Give the one line that was printed; more than one is wrong."""
    lines = told.strip().splitlines()
    assert len(lines) == 1, told
    return lines[0]
