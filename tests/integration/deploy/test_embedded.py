"""The embedded server lives beside its data, alone, and no longer than the process that started it."""

import asyncio
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from deploy.embedded import EmbeddedError, EmbeddedPostgres, running_server
from deploy.embedded import server as server_module
from deploy.embedded.account import Account, server_account
from deploy.embedded.binaries import programs_for
from tests.support.folders import open_folder

OWNER = """
import os, sys, time
from pathlib import Path
from deploy.embedded import EmbeddedPostgres, server
if sys.argv[2] == "tied-to-nobody":
    server._dies_with = lambda: 0
running = EmbeddedPostgres.start(Path(sys.argv[1]), durable=False)
print(running.process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def test_what_was_written_is_there_after_a_restart(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / "data")
    asyncio.run(execute(server, "CREATE TABLE kept AS SELECT 7 AS number"))
    server.stop()
    server = EmbeddedPostgres.start(folder / "data")
    assert asyncio.run(execute(server, "SELECT number FROM kept")) == 7
    assert asyncio.run(execute(server, "SELECT current_setting('fsync')")) == "on"
    server.stop()


def test_a_folder_has_one_owner(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    with pytest.raises(EmbeddedError, match="in use by another process"):
        EmbeddedPostgres.start(folder / "data", durable=False)
    assert running_server(folder / "data") == server.socket
    server.stop()
    assert running_server(folder / "data") is None


def test_the_server_dies_with_a_killed_owner(folder: Path) -> None:
    owner, server_pid = start_owner(folder, "tied")
    owner.kill()
    owner.wait()
    assert within(3, lambda: not runs(server_pid))


def test_a_server_left_behind_is_stopped_at_the_next_start(folder: Path) -> None:
    owner, left_behind = start_owner(folder, "tied-to-nobody")
    owner.kill()
    owner.wait()
    assert runs(left_behind)
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    assert not runs(left_behind)
    server.stop()


def test_the_next_start_waits_for_a_server_that_is_dying(folder: Path) -> None:
    for _ in range(3):
        owner, _ = start_owner(folder, "tied")
        owner.kill()
        owner.wait()
        EmbeddedPostgres.start(folder / "data", durable=False).stop()


def test_a_server_that_recovers_for_long_is_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, _ = start_owner(folder, "tied")
    owner.kill()
    owner.wait()
    monkeypatch.setattr(server_module, "_LONG", 0.0)
    with capture_logs() as said:
        server = EmbeddedPostgres.start(folder / "data", durable=False)
    assert [line["event"] for line in said] == ["embedded.still-starting"]
    assert asyncio.run(execute(server, "SELECT 1")) == 1
    server.stop()


@pytest.mark.parametrize("left", [b"", b"\0\0\0\0", b"\xff\xfe\n"], ids=["empty", "torn", "garbage"])
def test_a_lock_file_that_a_kill_or_a_power_cut_tore_keeps_nobody_out(folder: Path, left: bytes) -> None:
    begin_with_locks(folder, left)


def test_a_lock_file_with_the_id_of_another_process_keeps_nobody_out(folder: Path) -> None:
    account = server_account()
    other = subprocess.Popen(
        ["sleep", "60"], user=account.user, group=account.group, extra_groups=account.extra_groups
    )
    try:
        begin_with_locks(folder, f"{other.pid}\n".encode())
    finally:
        other.kill()
        other.wait()


def begin_with_locks(folder: Path, left: bytes) -> None:
    """Start a server where an earlier one left these lock files."""
    first = EmbeddedPostgres.start(folder / "data", durable=False)
    first.stop()
    for lock in (folder / "data" / "postgres" / "postmaster.pid", first.socket / ".s.PGSQL.5432.lock"):
        lock.write_bytes(left)
        os.chown(lock, lock.parent.stat().st_uid, lock.parent.stat().st_gid)
        os.utime(lock, (0, 0))
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    assert asyncio.run(execute(server, "SELECT 1")) == 1
    server.stop()


def test_a_server_that_cannot_start_says_why_in_one_line(folder: Path) -> None:
    EmbeddedPostgres.start(folder / "data", durable=False).stop()
    (folder / "data" / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match=r"does not start, see .*postgres\.log: .*incompatible"):
        EmbeddedPostgres.start(folder / "data", durable=False)


def test_only_the_owner_can_reach_the_socket_and_no_other_folder_changes(folder: Path) -> None:
    before = folder.stat()
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert (folder.stat().st_mode, folder.stat().st_uid) == (before.st_mode, before.st_uid)
    assert asyncio.run(execute(server, "SELECT current_setting('listen_addresses')")) == ""
    server.stop()


def test_a_path_that_is_too_long_for_a_socket_is_no_trouble(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / ("long-" * 20) / "data", durable=False)
    assert asyncio.run(execute(server, "SELECT 1")) == 1
    server.stop()
    assert not server.socket.exists()


def test_the_log_of_the_server_holds_no_value(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    asyncio.run(execute(server, "CREATE TABLE person (name text UNIQUE)"))
    for _ in range(2):
        try:
            asyncio.run(execute(server, "INSERT INTO person VALUES ($1)", "Evangeline"))
        except asyncpg.UniqueViolationError:
            continue
    with pytest.raises(asyncpg.PostgresError):
        asyncio.run(execute(server, "SELECT 'Evangeline'::int"))
    server.stop()
    log = (folder / "data" / "postgres.log").read_text()
    assert "shut down" in log
    assert "Evangeline" not in log


def test_programs_that_the_user_cannot_reach_are_copied(folder: Path) -> None:
    stranger = Account(uid=12345, gid=12345, other=True)
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert stranger.reaches(folder)
    assert not stranger.reaches(closed)
    unreachable = Unreachable(uid=12345, gid=12345, other=True)
    programs = programs_for(unreachable, folder)
    assert programs.is_relative_to(folder)
    told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert "PostgreSQL) 18" in told.stdout
    assert stranger.reaches(programs / "postgres")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_root_steps_down(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
    server.stop()


class Unreachable(Account):
    """A user that cannot reach the installed package."""

    def reaches(self, path: Path) -> bool:
        return False


async def execute(server: EmbeddedPostgres, statement: str, *arguments: object) -> object:
    """Run one statement and give its first value."""
    connection = await asyncpg.connect(server.url("postgres"))
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def start_owner(folder: Path, how: str) -> tuple[subprocess.Popen[str], int]:
    """Start a process that owns a server, and tell the server's process id."""
    command = [sys.executable, "-c", OWNER, str(folder / "data"), how]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    return owner, int(owner.stdout.readline())


def runs(pid: int) -> bool:
    """Tell whether a process runs; a dead one that nobody waits for does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def within(seconds: float, reached: Callable[[], bool]) -> bool:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_a_stop_is_a_clean_one(folder: Path) -> None:
    server = EmbeddedPostgres.start(folder / "data", durable=False)
    server.stop()
    assert server.process.returncode == 0
