"""Start and stop the embedded server.

Invariants:
- One process at a time owns a data folder: it holds `lock`. A server that runs while nobody holds the lock
  was left behind; whoever gets the lock next stops it.
- The server is our child and dies with us, however we die (PR_SET_PDEATHSIG; where there is no such signal,
  by the rule above). It must be started from the main thread: the signal is tied to the thread.
- `start` returns when the server answers. A server that lives is waited for, however long it recovers after a
  crash: to kill it would only make the next start begin again.
"""

import fcntl
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

import structlog

from deploy.embedded.account import Account, server_account
from deploy.embedded.binaries import programs_for
from deploy.embedded.cluster import (
    SUPERUSER,
    EmbeddedError,
    environment,
    home_of,
    make_cluster,
    socket_folder,
    write_configuration,
)
from deploy.embedded.left_behind import OUTLIVED, forget_where_stale, server_state, stop_left_behind
from deploy.waiting import wait_until

log = structlog.get_logger("lumbar.embedded")

_LAUNCH = Path(__file__).with_name("launch.py")
_DEADLINE = 20.0
_LONG = 20.0
_STILL_THERE = ("shared memory block", "lock file", "could not bind")


class FolderInUse(EmbeddedError):
    """Another process owns the data folder."""


@dataclass(kw_only=True)
class EmbeddedPostgres:
    """A running server that belongs to this process."""

    data: Path
    socket: Path
    process: subprocess.Popen[bytes] = field(repr=False)
    lock: IO[str] = field(repr=False)

    @classmethod
    def start(cls, data: Path, *, durable: bool = True, with_roles: bool = False) -> "EmbeddedPostgres":
        """Start the server of this data folder, made where there is none.

        With roles, every role but the superuser must show its password.
        Raises FolderInUse where another process runs it, EmbeddedError where it cannot be started.
        """
        try:
            return cls._start(data.absolute(), durable=durable, with_roles=with_roles)
        except OSError as error:
            raise _unusable(data, error) from error

    @classmethod
    def _start(cls, data: Path, *, durable: bool, with_roles: bool) -> "EmbeddedPostgres":
        account = server_account()
        _make_folder(data, account)
        lock = _take_lock(data)
        home = home_of(data, account)
        programs = programs_for(account, home)
        cluster = make_cluster(home, account, programs)
        stop_left_behind(cluster)
        socket = socket_folder(home, account)
        configuration = write_configuration(cluster, socket, durable=durable, with_roles=with_roles)
        command = [str(programs / "postgres"), "-D", str(cluster), "-c", f"config_file={configuration}"]
        locks = (cluster / "postmaster.pid", socket / ".s.PGSQL.5432.lock")
        process = _start_until_ready(command, cluster, account, said=data / "postgres.log", locks=locks)
        return cls(data=data, socket=socket, process=process, lock=lock)

    def url(self, database: str) -> str:
        """Give the address of one of its databases."""
        return server_url(self.socket, database)

    def runs(self) -> bool:
        """Tell whether the server still runs; one that ended by itself does not come back."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Stop the server (its clients are disconnected) and let go of the data folder."""
        for polite in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(polite)
            try:
                self.process.wait(_DEADLINE / 2)
                break
            except subprocess.TimeoutExpired:
                continue
        if self.socket.name != "socket":
            shutil.rmtree(self.socket, ignore_errors=True)
        self.lock.close()


def server_url(socket: Path, database: str) -> str:
    """Give the address of a database behind this socket's folder."""
    return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(socket), safe='/')}"


def running_server(data: Path) -> Path | None:
    """Find the socket's folder of the server that another process runs for this data folder."""
    try:
        _take_lock(data).close()
    except FolderInUse:
        state = server_state(home_of(data.absolute(), server_account()) / "postgres")
        return state.socket if state is not None and state.ready else None
    except FileNotFoundError:
        return None
    return None


def _make_folder(data: Path, account: Account) -> None:
    if data.exists():
        return
    data.mkdir(parents=True, mode=0o700)
    if account.other:
        data.chmod(0o711)


def _unusable(data: Path, error: OSError) -> EmbeddedError:
    return EmbeddedError(f"the data folder {data} cannot be used: {error.strerror} ({error.filename})")


def _take_lock(data: Path) -> IO[str]:
    try:
        lock = (data / "lock").open("a+")
    except (PermissionError, NotADirectoryError) as error:
        raise _unusable(data, error) from error
    # A process that was killed while it started its server is outlived for a moment by the child it made.
    if not wait_until(lambda: _locked(lock), seconds=OUTLIVED):
        lock.close()
        raise FolderInUse(f"the data folder {data} is in use by another process")
    return lock


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_until_ready(
    command: list[str], cluster: Path, account: Account, *, said: Path, locks: Sequence[Path]
) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + _DEADLINE
    while True:
        for lock in locks:
            forget_where_stale(lock, cluster)
        begin = said.stat().st_size if said.exists() else 0
        process = _spawn(command, account, said)
        if _became_ready(process, cluster):
            return process
        lines = said.read_bytes()[begin:].decode(errors="replace").strip().splitlines()
        if time.monotonic() > deadline or not any(hint in line for line in lines for hint in _STILL_THERE):
            last = lines[-1] if lines else "it said nothing"
            raise EmbeddedError(f"the embedded database does not start, see {said}: {last}")
        time.sleep(0.05)


def _became_ready(process: subprocess.Popen[bytes], cluster: Path) -> bool:
    def decided() -> bool:
        return process.poll() is not None or _ready(cluster, process.pid)

    if not wait_until(decided, seconds=_LONG):
        log.warning("embedded.still-starting", seconds=_LONG)
        wait_until(decided, seconds=math.inf)
    return process.poll() is None


def _ready(cluster: Path, pid: int) -> bool:
    state = server_state(cluster)
    return state is not None and state.pid == pid and state.ready


def _spawn(command: list[str], account: Account, said: Path) -> subprocess.Popen[bytes]:
    who = [str(account.uid), str(account.gid)] if account.other else ["", ""]
    with said.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_LAUNCH), str(_dies_with()), "SIGQUIT", *who, *command],
            cwd="/",
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _dies_with() -> int:
    if threading.current_thread() is not threading.main_thread():
        raise EmbeddedError("the embedded database must be started from the main thread")
    return os.getpid()
