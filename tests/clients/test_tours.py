"""Client libraries as others use them: HAPI's, fhirpy and fhir-kit-client tour a running clinic."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import packages
from tests.support import referrals
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar

# The first run on a machine gets the libraries.
pytestmark = [pytest.mark.timeout(1000), pytest.mark.xdist_group("client libraries")]

HERE = Path(__file__).parent
ORIGIN = "https://app.example"
FAMILY = "Strauß-Émond"


class Clinic:
    """A running clinic, and what a tour is given."""

    def __init__(self, running: LumbarProcess, folder: Path, *, token: str) -> None:
        self._running = running
        self._folder = folder
        self._token = token

    def tour(self, *command: str) -> str:
        """Run a tour; give the lines of the steps that failed."""
        for name, bundle in (("first", a_bundle(FAMILY)), ("second", a_bundle("Ng")), ("bare", a_bare())):
            (self._folder / f"{name}.json").write_text(json.dumps(bundle))
        base = f"{self._running.url}/referral/fhir"
        ran = subprocess.run(
            [*command, base, self._token, str(self._folder)],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        lines = ran.stdout.splitlines()
        assert any(line.startswith("ok ") for line in lines), ran.stdout + ran.stderr
        failed = [line for line in lines if not line.startswith("ok ")]
        assert failed or ran.returncode == 0, ran.stderr
        return "\n".join(failed)


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    """A running clinic for one tour: no other's patients are in it."""
    with open_folder() as folder, LumbarProcess(folder / "data") as running:
        running.start(LUMBAR_CORS_ORIGINS=ORIGIN)
        running.wait_until_ready()
        token = lumbar("token", "family-practice", LUMBAR_URL=running.url, LUMBAR_DATA=str(running.data))
        yield Clinic(running, folder, token=token.stdout.strip())
        running.stop()


def test_of_hapi(clinic: Clinic) -> None:
    jars = packages.hapi()
    assert clinic.tour("java", "-cp", f"{jars}/*", str(HERE / "hapi" / "Tour.java")) == ""


def test_of_fhirpy(clinic: Clinic) -> None:
    assert clinic.tour(sys.executable, str(HERE / "fhirpy_tour.py")) == ""


def test_of_fhir_kit_client(clinic: Clinic) -> None:
    assert clinic.tour("node", str(packages.npm() / "tour.mjs")) == ""


def a_bundle(family: str) -> dict[str, Any]:
    """Make a transaction that says who did it and something to the clinic."""
    sent = referrals.bundle(family=family)
    request = next(e for e in sent["entry"] if e["resource"]["resourceType"] == "ServiceRequest")
    patient = referrals.resource(sent, "ServiceRequest")["subject"]
    about = {"reference": request["fullUrl"]}
    communication = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": patient,
        "basedOn": [about],
        "payload": [{"contentString": "Call after four."}],
    }
    sent["entry"].append(
        {
            "fullUrl": "urn:uuid:6f3d8f0a-58a3-4b6c-a44e-3a3ee5f6f0a1",
            "resource": communication,
            "request": {"method": "POST", "url": "Communication"},
        }
    )
    return sent


def a_bare() -> dict[str, Any]:
    """Make a Bundle that holds a ServiceRequest which can be sent alone: its Patient is contained."""
    sent = referrals.bundle()
    patient = referrals.resource(sent, "Patient") | {"id": "patient"}
    request = referrals.resource(sent, "ServiceRequest") | {
        "contained": [patient],
        "subject": {"reference": "#patient"},
    }
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": request}]}
