"""`lumbar demo` as a newcomer runs it: all of it happens, and it fails when a single step does not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# The clinic takes children: the step of story 7 that expects them to be declined does not happen.
BROKEN = """
import sys
from pathlib import Path
from services.referral.rules import eligibility
from deploy.demo import run
from deploy.demo.stories import STORIES
from shared.clinic import load_clinic

eligibility.age = lambda born, on: 30
sys.exit(run(load_clinic(Path("examples/clinic.yaml")), stories={7: STORIES[7]}, days=10))
"""

# In seconds: a busy machine takes several times as long as a quiet one.
_WITHIN = 600


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN, check=False
    )


def patients() -> set[str]:
    """Name every family name of a patient in the examples."""
    names = set()
    for file in (ROOT / "examples" / "referrals").glob("*.json"):
        for entry in json.loads(file.read_text("utf-8")).get("entry", []):
            if entry["resource"]["resourceType"] == "Patient":
                names |= {name["family"] for name in entry["resource"]["name"]}
    assert names
    return names


@pytest.mark.timeout(_WITHIN + 60)
def test_the_whole_demo_happens() -> None:
    played = call("-m", "deploy.cli", "demo")
    assert played.returncode == 0, played.stdout[-3000:] + played.stderr[-3000:]
    assert "✗" not in played.stdout
    assert played.stdout.count("✓") == 29
    assert "\x1b[" not in played.stdout
    assert not [name for name in patients() if name in played.stdout + played.stderr]


@pytest.mark.timeout(_WITHIN + 60)
def test_a_step_that_does_not_happen_is_named_and_ends_it_with_1() -> None:
    played = call("-c", BROKEN)
    assert played.returncode == 1, played.stdout[-3000:] + played.stderr[-3000:]
    assert "✗  7 Under 18" in played.stdout
    assert "the Task says declined" in played.stdout
