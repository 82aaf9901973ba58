"""What a referral costs in round trips, rows and bytes does not creep up."""

import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]


def check(module: str) -> "subprocess.CompletedProcess[str]":
    """Run the gate, in a process that it may instrument."""
    command = [sys.executable, "-W", "ignore", "-m", module, "check"]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(300)
def test_a_referral_costs_no_more_than_is_recorded() -> None:
    checked = check("bench")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.timeout(300)
def test_one_statement_too_many_is_seen() -> None:
    checked = check("tests.support.extra_statement")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert "round_trips_post: " in checked.stdout
    assert "round_trips_events: " in checked.stdout
