"""What an earlier server of this folder left: itself, or files that name it.

Call this while holding the data folder's lock: nobody else starts a server there meanwhile. Invariant: a lock
file of PostgreSQL that names no server of this folder keeps nobody out; it was torn by a kill or a power cut,
or its process id belongs to somebody else by now. (Orphans of a dead server still keep everybody out:
PostgreSQL asks for its shared memory by the folder.)
"""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.waiting import wait_until

OUTLIVED = 2.0
"""Seconds that something may go on after its owner was killed."""
_ENDS_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class ServerState:
    """What `postmaster.pid` says of a server."""

    pid: int
    socket: Path
    ready: bool


def server_state(cluster: Path) -> ServerState | None:
    """Read it; None where there is none or it holds no process id."""
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].strip().isdecimal():
        return None
    socket = lines[4] if len(lines) > 4 else ""
    return ServerState(int(lines[0]), Path(socket), len(lines) > 7 and lines[7].strip() == "ready")


def stop_left_behind(cluster: Path) -> None:
    """Stop a server of this cluster that runs though nobody holds the data folder."""
    state = server_state(cluster)
    if state is None or not _is_server_of(state.pid, cluster):
        return
    for insistent in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        try:
            os.kill(state.pid, insistent)
        except ProcessLookupError:
            return
        if wait_until(lambda: not _is_server_of(state.pid, cluster), seconds=_ENDS_WITHIN):
            return


def _is_server_of(pid: int, cluster: Path) -> bool:
    return os.fsencode(cluster) in _command_line(pid)


def _command_line(pid: int) -> bytes:
    if not Path("/proc/self/cmdline").exists():
        asked = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, check=False).stdout  # noqa: S603
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def forget_where_stale(lock: Path, cluster: Path) -> None:
    """Remove a lock file that names no server of this cluster; one just made may not be filled yet."""
    try:
        pid, written = lock.read_text(errors="replace").partition("\n")[0].strip(), lock.stat().st_mtime
    except FileNotFoundError:
        return
    is_torn = not pid.isdecimal() and time.time() - written > OUTLIVED
    if is_torn or (pid.isdecimal() and not _is_server_of(int(pid), cluster)):
        lock.unlink(missing_ok=True)
