"""The local Kafka: it answers when `start` returns, dies with its parent, and keeps address and data."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.kafka import LocalKafka, LocalKafkaError
from tests.support.eventually import eventually
from tests.support.kafka import need_local_kafka
from tests.support.server import alive

_PARENT = """
import sys, time
from pathlib import Path
from deploy.kafka import LocalKafka

kafka = LocalKafka.start(Path(sys.argv[1]))
print(kafka.process.pid, flush=True)
time.sleep(600)
"""


def test_a_broker_is_gone_after_its_parent_was_killed_and_starts_again_at_its_address(
    tmp_path: Path,
) -> None:
    need_local_kafka()
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "kafka")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    broker = int(parent.stdout.readline())
    address = (tmp_path / "kafka" / "ports").read_text()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    asyncio.run(eventually(lambda: not alive(broker), within=20))

    again = LocalKafka.start(tmp_path / "kafka")
    try:
        assert again.bootstrap == f"127.0.0.1:{address.split()[0]}"
    finally:
        again.stop()
    assert not again.runs()


def test_without_java_one_line_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(LocalKafkaError, match="needs Java 17") as raised:
        LocalKafka.start(tmp_path / "kafka")
    assert "\n" not in str(raised.value)


def test_without_maven_and_jars_one_line_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(LocalKafkaError, match="needs Maven once"):
        LocalKafka.start(tmp_path / "kafka")


def test_a_folder_that_cannot_hold_the_data_is_named_in_one_line(tmp_path: Path) -> None:
    need_local_kafka()
    with pytest.raises(LocalKafkaError, match=f"data folder {tmp_path}") as raised:
        LocalKafka.start(tmp_path / "kafka", settings={"log.dirs": "/dev/null/there-is-none"})
    assert "\n" not in str(raised.value)
