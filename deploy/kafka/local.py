"""Start and stop an Apache Kafka on this machine: broker and controller in one process, on the loopback only.

Invariants:
- The broker is our child and dies with us, however we die; it must be started from the main thread.
- `start` returns when the broker answers. Started again on the same folder it has the same address and data.
"""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kafka.jars import LocalKafkaError, jars, java
from deploy.waiting import wait_until

_LAUNCH = Path(__file__).parents[1] / "embedded" / "launch.py"
_DEADLINE = 90.0
_POLITE = 15.0
_JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "listener.security.protocol.map": "LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "LOCAL",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
}
_JOINED = ("listeners", "listener.security.protocol.map")
_NONE: Mapping[str, str] = {}
_LOGGING = """\
status = error
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
"""


@dataclass(kw_only=True)
class LocalKafka:
    """A running broker of this process; `bootstrap` is its address, `folder` holds its data and log."""

    folder: Path
    bootstrap: str
    process: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def start(cls, folder: Path, *, port: int = 0, settings: Mapping[str, str] = _NONE) -> "LocalKafka":
        """Start the broker of this folder, made where there is none.

        Port 0 is the folder's last one, or any free one. `settings` are further lines of server.properties;
        listeners among them come beside ours. Raises LocalKafkaError where it cannot be started.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            ports = _ports(folder, port)
            _configure(folder, ports, settings)
        except OSError as error:
            raise LocalKafkaError(
                f"the folder {folder} cannot be used for Kafka: {error.strerror}"
            ) from error
        if not (folder / "data" / "meta.properties").exists():
            _format(folder)
        process = _spawn(folder)
        _wait_until_ready(process, ports[0], folder)
        return cls(folder=folder, bootstrap=f"127.0.0.1:{ports[0]}", process=process)

    def runs(self) -> bool:
        """Tell whether the broker still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask the broker to stop, and make it after a while."""
        if self.runs():
            self.process.terminate()
        try:
            self.process.wait(_POLITE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the broker, as the kernel or a power cut would."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Let the broker fall silent with its connections open."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self.process.send_signal(signal.SIGCONT)


def _ports(folder: Path, port: int) -> tuple[int, int]:
    """Choose the ports of broker and controller; the last ones again unless another is asked for."""
    remembered = folder / "ports"
    if remembered.exists():
        last, of_controller = map(int, remembered.read_text().split())
        if port in (0, last):
            return last, of_controller
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", port))
        other.bind(("127.0.0.1", 0))
        chosen = int(one.getsockname()[1]), int(other.getsockname()[1])
    remembered.write_text("{} {}".format(*chosen))
    return chosen


def _configure(folder: Path, ports: tuple[int, int], further: Mapping[str, str]) -> None:
    settings = _SETTINGS | {
        "listeners": f"LOCAL://127.0.0.1:{ports[0]},CONTROLLER://127.0.0.1:{ports[1]}",
        "log.dirs": str(folder.absolute() / "data"),
        "controller.quorum.voters": f"1@127.0.0.1:{ports[1]}",
    }
    for name, text in further.items():
        settings[name] = f"{settings[name]},{text}" if name in _JOINED else text
    lines = [f"{name}={text}" for name, text in settings.items()]
    (folder / "server.properties").write_text("\n".join(lines) + "\n", encoding="ascii")
    (folder / "log4j2.properties").write_text(_LOGGING, encoding="ascii")


def _format(folder: Path) -> None:
    identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
    configuration = str(folder.absolute() / "server.properties")
    formatted = subprocess.run(  # noqa: S603
        [*_java(folder), "kafka.tools.StorageTool", "format", "-t", identity, "-c", configuration],
        capture_output=True,
        text=True,
        check=False,
    )
    if formatted.returncode:
        said = (formatted.stderr or formatted.stdout).strip().splitlines() or ["it said nothing"]
        raise LocalKafkaError(f"Kafka could not make its data folder {folder}: {said[-1]}")


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    if threading.current_thread() is not threading.main_thread():
        raise LocalKafkaError("a local Kafka must be started from the main thread")
    program = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), "SIGKILL", "", ""]
    command = [*_java(folder), "kafka.Kafka", str(folder.absolute() / "server.properties")]
    with (folder / "kafka.log").open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            [*program, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _java(folder: Path) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={(folder.absolute() / 'log4j2.properties').as_uri()}"
    return [java(), *_JVM, logging, "-cp", f"{jars()}/*"]


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait for the broker's socket, which it opens last."""

    def decided() -> bool:
        return process.poll() is not None or _listens(port)

    if not wait_until(decided, seconds=_DEADLINE, every=0.02) or process.poll() is not None:
        process.kill()
        process.wait()
        raise LocalKafkaError(f"Kafka does not start, see {folder / 'kafka.log'}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
