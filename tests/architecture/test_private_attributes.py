"""No file of ours touches a private attribute of an object that is not its own."""

import ast
from pathlib import Path, PurePath

import pytest

from tests.architecture.house_rules import private_attributes

ROOT = Path(__file__).parents[2]
# aiokafka 0.14 has no public way to end a producer without flushing it; tests/integration/kafka/
# test_broker_away.py kills a broker while it sends.
NAMED_EXCEPTION = {
    "shared/events/transport/kafka/producer.py: _closed",
    "shared/events/transport/kafka/producer.py: _sender",
}
PLANTED = [
    "consumer._client.close()",
    "self.consumer._coordinator.state = 1",
    "getattr(statement, '_compile_w_cache')()",
    "setattr(producer, '_closed', True)",
    "from aiokafka.util import _private",
    "other._value",
]
USUAL = [
    "self._rows",
    "cls._made",
    "super()._begin()",
    "os._exit(1)",
    "row.__class__",
    "from __future__ import annotations",
]


def found() -> set[str]:
    """List what all files of ours reach into."""
    paths = [
        path for part in ("services", "shared", "deploy", "bench") for path in (ROOT / part).rglob("*.py")
    ]
    return {
        violation
        for path in paths
        for violation in private_attributes(path.relative_to(ROOT), ast.parse(path.read_text()))
    }


def test_nothing_reaches_into_somebody_else_s_object_but_the_named_exception() -> None:
    assert found() - NAMED_EXCEPTION == set()


def test_what_is_listed_is_still_there() -> None:
    assert NAMED_EXCEPTION - found() == set()


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_violation_is_seen(code: str) -> None:
    assert len(list(private_attributes(PurePath("planted.py"), ast.parse(code)))) == 1


@pytest.mark.parametrize("code", USUAL)
def test_the_usual_is_let_through(code: str) -> None:
    assert list(private_attributes(PurePath("planted.py"), ast.parse(code))) == []
