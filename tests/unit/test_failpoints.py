"""Fail points: named, armed by one variable, and nothing at all where that is not set."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import failpoints

ROOT = Path(__file__).parents[2]
SPEC = "LUMBAR_FAILPOINT"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm({})


def test_nothing_happens_at_a_point_that_is_not_armed() -> None:
    failpoints.arm({SPEC: "relayed:raise"})
    failpoints.reach("before_send")


def test_a_point_raises_once_and_at_the_time_that_was_said() -> None:
    failpoints.arm({SPEC: "before_send:raise@2"})
    failpoints.reach("before_send")
    with pytest.raises(failpoints.PointReached):
        failpoints.reach("before_send")
    failpoints.reach("before_send")


def test_a_point_raises_every_time_where_that_was_said() -> None:
    failpoints.arm({SPEC: "before_send:raise@*"})
    for _ in range(3):
        with pytest.raises(failpoints.PointReached):
            failpoints.reach("before_send")


def test_several_points_can_be_armed() -> None:
    failpoints.arm({SPEC: "before_send:raise,relayed:raise@1"})
    for name in ("before_send", "relayed"):
        with pytest.raises(failpoints.PointReached):
            failpoints.reach(name)


def test_a_point_stops_the_process_for_a_while() -> None:
    code = (
        "import time; from shared import failpoints; failpoints.arm(); begin = time.monotonic();"
        " failpoints.reach('relayed'); print(time.monotonic() - begin >= 0.1)"
    )
    assert run(code, "relayed:sleep=0.1").stdout.endswith("True\n")


def test_a_point_kills_the_process_and_arming_it_is_told() -> None:
    code = "from shared import failpoints; failpoints.arm(); failpoints.reach('relayed'); print('alive')"
    ended = run(code, "relayed:kill")
    assert (ended.returncode, "alive" in ended.stdout) == (-9, False)
    assert "failpoint.armed" in ended.stdout


@pytest.mark.parametrize(
    "text",
    [
        "nowhere:kill",
        "relayed",
        "relayed:",
        "relayed:kill@0",
        "relayed:kill@x",
        "relayed:sleep",
        "relayed:kill=1",
    ],
)
def test_what_is_not_understood_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(failpoints.NoSuchPoint, match=r"allowed|must be"):
        failpoints.arm({SPEC: text})


def test_every_point_of_the_table_is_reached_and_no_other_is() -> None:
    found = {
        name
        for folder in ("shared", "services", "deploy")
        for file in (ROOT / folder).rglob("*.py")
        for name in points_in(file)
    }
    assert found == set(failpoints.POINTS)


def points_in(file: Path) -> Iterator[str]:
    """Name the points that a file reaches; one that is no literal counts as `?`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reach":
            owner, name = node.func.value, node.args[0]
            if isinstance(owner, ast.Name) and owner.id == "failpoints":
                yield str(name.value) if isinstance(name, ast.Constant) else "?"


def run(code: str, armed: str) -> subprocess.CompletedProcess[str]:
    """Run a line of Python with a point armed."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {SPEC: armed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
