"""The compose file on a real Docker engine: built, up, a referral booked, and gone again."""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy import compose_secrets
from tests.failure.referrals import routine_referral

pytestmark = pytest.mark.timeout(1800)
ROOT = Path(__file__).parents[3]
URL = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The command of a running composition of its own name; its volumes are gone afterwards."""
    if shutil.which("docker") is None or not succeeds("docker", "info"):
        pytest.skip("no Docker engine answers")
    if not succeeds("docker", "compose", "version"):
        pytest.skip("the Docker engine has no compose")
    secrets = tmp_path_factory.mktemp("secrets") / ".env"
    compose_secrets.main(secrets)
    file = str(ROOT / "deploy" / "compose.yaml")
    command = ["docker", "compose", "-p", "lumbar-test", "-f", file, "--env-file", str(secrets)]
    try:
        up = subprocess.run([*command, "up", "--build", "--wait"], capture_output=True, text=True)
        assert up.returncode == 0, up.stderr[-4000:]
        yield command
    finally:
        subprocess.run([*command, "down", "--volumes", "--timeout", "30"], capture_output=True, check=False)


def test_a_referral_is_booked_in_containers(compose: list[str]) -> None:
    token = subprocess.run(
        [*compose, "exec", "-T", "issuer", "lumbar", "token", "family-practice"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    with httpx.Client(base_url=URL, headers=headers, timeout=60) as http:
        sent = http.post("/referral/fhir", content=routine_referral(1)[1])
        assert sent.status_code == 200, sent.text
        found = re.search(r"ServiceRequest/([0-9a-f-]+)", sent.text)
        assert found is not None
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            booked = http.get(f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{found.group(1)}")
            if booked.json().get("entry"):
                return
            time.sleep(0.2)
    raise AssertionError("not booked after 120 s")


def test_no_process_runs_as_root_or_can_write_to_its_image(compose: list[str]) -> None:
    for name in ("referral-api-0", "gateway", "issuer"):
        asked = [*compose, "exec", "-T", name, "python", "-c"]
        who = subprocess.run([*asked, "import os; print(os.getuid())"], capture_output=True, text=True)
        assert who.stdout.strip() == "10001"
        assert not succeeds(*asked, "open('/opt/lumbar/planted', 'w')")


def succeeds(*command: str) -> bool:
    """Tell whether a command ends with status 0."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
