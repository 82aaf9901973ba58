"""The children of a cluster: each dies with this process, however that ends, and none is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.cluster.place import ClusterError

_LAUNCH = Path(__file__).parents[1] / "embedded" / "launch.py"


def spawn(command: list[str], *, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `python -m` with these arguments; it is killed when this process ends.

    Call it in the main thread, to which the child's life is tied. Raises ClusterError elsewhere.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ClusterError("a cluster's processes must be started from the main thread")
    launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), "SIGKILL", "", ""]
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            [*launch, sys.executable, "-m", *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def stop_all(processes: Iterable[subprocess.Popen[bytes]], *, within: float) -> None:
    """Ask processes to stop, all at once, and kill those that have not after so many seconds."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + within
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Give an environment without any setting of ours."""
    return {name: text for name, text in environment.items() if not name.startswith("LUMBAR_")}
