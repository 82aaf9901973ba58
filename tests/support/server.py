"""One PostgreSQL per test run, shared by all its workers, started by whoever needs it first.

A keeper process (`python -m tests.support.server FOLDER PID`) owns the server. It ends when it is told to, or
when the test run's own process is gone, however that ended; the server dies with it.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.embedded import EmbeddedPostgres

RUN = "LUMBAR_TEST_RUN"
_ROOT = Path(__file__).parents[2]


def begin_run() -> None:
    """Choose the folder of this test run; in the run's own process, before its workers start."""
    folder = Path(tempfile.mkdtemp(prefix="lumbar-tests-"))
    folder.chmod(0o711)
    os.environ[RUN] = f"{os.getpid()}:{folder}"


def end_run() -> None:
    """Stop the keepers of PostgreSQL and Kafka, where there are any, and remove the folder."""
    _, folder = run()
    for keeper in (folder / "kafka.pid", folder / "keeper.pid"):
        if keeper.exists():
            pid = int(keeper.read_text())
            os.kill(pid, signal.SIGTERM)
            while keeper.exists() and alive(pid):
                time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)


def run() -> tuple[int, Path]:
    """Give the process id of the test run and its folder."""
    owner, _, folder = os.environ[RUN].partition(":")
    return int(owner), Path(folder)


def socket_of_run() -> Path:
    """Give the socket's folder of the run's server, started if this is the first call of all workers."""
    owner, folder = run()
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if not (folder / "keeper.pid").exists():
            _start_keeper(owner, folder)
    return Path((folder / "socket").read_text())


def _start_keeper(owner: int, folder: Path) -> None:
    with (folder / "keeper.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.support.server", str(folder), str(owner)]
        keeper = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (folder / "keeper.pid").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no PostgreSQL for the tests: {(folder / 'keeper.log').read_text()}")
        time.sleep(0.01)


def _keep(folder: Path, owner: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    try:
        (folder / "socket").write_text(str(server.socket))
        (folder / "keeper.pid.new").write_text(str(os.getpid()))
        (folder / "keeper.pid.new").rename(folder / "keeper.pid")
        while alive(owner):
            time.sleep(0.3)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def alive(pid: int) -> bool:
    """Tell whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
