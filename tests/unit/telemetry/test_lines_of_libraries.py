"""What a library says over and over, such as a client whose broker is away, does not fill the disk."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.telemetry import log_throttle
from shared.telemetry.logging import start_logging

NOISY = logging.getLogger("a.noisy.library")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    handlers, level, configured = logging.root.handlers, logging.root.level, structlog.get_config()
    written = io.StringIO()
    start_logging(stream=written)
    yield written
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.configure(**configured)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_place_is_written_once_a_minute_with_how_often_it_spoke(
    stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(log_throttle, "monotonic", lambda: now)
    for minute in range(2):
        for _ in range(500):
            NOISY.error("cannot reach broker %s", minute)
        now += 61
    assert [(line["event"], line.get("count")) for line in lines(stream)] == [
        ("library.message", None),
        ("library.message", 500),
    ]


def test_another_place_and_another_error_are_written_at_once(stream: io.StringIO) -> None:
    NOISY.error("cannot reach the broker")
    NOISY.error("cannot reach the coordinator")
    for kind in (ValueError, OSError, ValueError):
        try:
            raise kind("Featherstone")
        except (ValueError, OSError):
            NOISY.exception("a step failed")
    assert [line.get("error") for line in lines(stream)] == [
        None,
        None,
        "builtins.ValueError",
        "builtins.OSError",
    ]
    assert "Featherstone" not in stream.getvalue()
