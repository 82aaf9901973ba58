"""One Kafka per test run, shared by all its workers, started by whoever needs it first.

The first that works of: LUMBAR_TEST_KAFKA (an address), a container where a Docker engine answers, a local
one whose jars Maven gets. With none the test is skipped with one line, or fails where LUMBAR_REQUIRE_KAFKA=1.

A keeper process (`python -m tests.support.kafka FOLDER PID`) owns the broker, as in tests/support/server.py.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.kafka import LocalKafka, LocalKafkaError
from deploy.kafka.jars import jars, java
from shared.events.transport.kafka.address import KafkaAddress
from tests.support.process import free_port
from tests.support.server import alive, run

_ROOT = Path(__file__).parents[2]
_IMAGE = "apache/kafka:4.1.0"
# The first start on a machine gets 45 jars.
_PATIENCE = 600


def kafka_of_run() -> KafkaAddress:
    """Give the run's Kafka with a prefix that nobody has used."""
    return KafkaAddress(bootstrap=_bootstrap_of_run(), prefix=f"t{uuid4().hex[:8]}.")


def need_local_kafka() -> None:
    """Skip or fail where this machine cannot have a broker of a test's own."""
    try:
        java()
        jars()
    except LocalKafkaError as error:
        _without(str(error))


def start_local_kafka(folder: Path, settings: Mapping[str, str] | None = None) -> LocalKafka:
    """Start a broker for one test that stops or kills it; with these lines of server.properties."""
    need_local_kafka()
    return LocalKafka.start(folder, settings=settings or {})


def _bootstrap_of_run() -> str:
    given = os.environ.get("LUMBAR_TEST_KAFKA")
    if given:
        return given
    owner, folder = run()
    with (folder / "starting-kafka").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not (folder / "kafka.pid").exists() and not (folder / "no-kafka").exists():
            _start_keeper(owner, folder)
    if (folder / "no-kafka").exists():
        _without((folder / "no-kafka").read_text())
    return (folder / "bootstrap").read_text()


def _without(why: str) -> None:
    if os.environ.get("LUMBAR_REQUIRE_KAFKA") == "1":
        pytest.fail(f"LUMBAR_REQUIRE_KAFKA=1, but there is no Kafka: {why}", pytrace=False)
    pytest.skip(f"no Kafka: {why}")


def _start_keeper(owner: int, folder: Path) -> None:
    with (folder / "kafka-keeper.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.support.kafka", str(folder), str(owner)]
        keeper = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + _PATIENCE
    while not (folder / "kafka.pid").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            said = (folder / "kafka-keeper.log").read_text().strip().splitlines() or ["its keeper ended"]
            (folder / "no-kafka").write_text(said[-1])
            return
        time.sleep(0.02)


def _keep(folder: Path, owner: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with _broker(folder) as bootstrap:
            (folder / "bootstrap").write_text(bootstrap)
            (folder / "kafka.pid.new").write_text(str(os.getpid()))
            (folder / "kafka.pid.new").rename(folder / "kafka.pid")
            while alive(owner):
                time.sleep(0.3)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        (folder / "kafka.pid").unlink(missing_ok=True)


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    stop: Callable[[], None]
    container = _container()
    if container is not None:
        bootstrap, stop = container
    else:
        try:
            local = LocalKafka.start(folder / "kafka")
        except LocalKafkaError as error:
            sys.exit(str(error))
        bootstrap, stop = local.bootstrap, local.kill
    try:
        yield bootstrap
    finally:
        stop()


def _container() -> tuple[str, Callable[[], None]] | None:
    """Start Kafka in a container; None where no engine answers or it does not get that far."""
    import docker
    from docker.errors import DockerException
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    try:
        docker.from_env(timeout=5).ping()
    except (DockerException, OSError):
        return None
    testcontainers_config.ryuk_disabled = True
    port = free_port()
    kafka = DockerContainer(_IMAGE).with_bind_ports(9092, port)
    for name, text in _of_container(port).items():
        kafka = kafka.with_env(f"KAFKA_{name}", text)
    try:
        kafka.start()
    except Exception as error:
        sys.stderr.write(f"no container: {type(error).__name__}\n")
        return None
    return f"127.0.0.1:{port}", kafka.stop


def _of_container(port: int) -> dict[str, str]:
    return {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": "LOCAL://:9092,CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"LOCAL://127.0.0.1:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "INTER_BROKER_LISTENER_NAME": "LOCAL",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
    }


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
