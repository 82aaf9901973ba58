"""The files of the embedded server: where they lie, how they are first made, and its configuration.

Invariants:
- Only a finished cluster is ever named `postgres`: initdb works in another folder that is then renamed.
- The socket's folder is 0700, and its path is short enough for a socket's address.
- The server's own log never holds a value: neither statements nor parameters nor the details of an error.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.embedded.account import Account
from shared.errors import OneLine

SUPERUSER = "lumbar"
_LONGEST_SOCKET_PATH = 107 - len("/.s.PGSQL.5432") - 1
_OUTSIDE = Path("/var/lib/lumbar")


class EmbeddedError(OneLine):
    """The embedded server cannot be started; the text is one line for the person at the terminal."""


def home_of(data: Path, account: Account) -> Path:
    """Find the folder for the server's files: inside the data folder wherever its user can reach that.

    Run as root in a closed folder, the server's user cannot; then they lie under /var/lib/lumbar, and the
    data folder says where.
    """
    pointer = data / "postgres.place"
    if pointer.exists():
        return Path(pointer.read_text().strip())
    if account.reaches(data):
        return data
    try:
        _OUTSIDE.mkdir(mode=0o711, exist_ok=True, parents=True)
        outside = _OUTSIDE / secrets.token_hex(8)
        outside.mkdir()
        outside.chmod(0o711)
    except OSError as error:
        raise EmbeddedError(
            f"{data} cannot be reached by the unprivileged user of the database, nor can {_OUTSIDE} be made:"
            " choose another folder with LUMBAR_DATA"
        ) from error
    pointer.write_text(f"{outside}\n")
    return outside


def make_cluster(home: Path, account: Account, programs: Path) -> Path:
    """Give the cluster's folder, made by initdb where there is none."""
    cluster = home / "postgres"
    if cluster.exists():
        return cluster
    unfinished = home / "postgres.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.owns(unfinished)
    locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
    made = run_as(
        account, programs / "initdb", "-D", str(unfinished), "-U", SUPERUSER, "--auth=trust", *locale
    )
    if made.returncode:
        raise EmbeddedError(f"initdb failed: {made.stderr.strip().splitlines()[-1:]}")
    unfinished.rename(cluster)
    return cluster


def socket_folder(home: Path, account: Account) -> Path:
    """Make or find the 0700 folder of the socket; under the temporary folder where the path is too long.

    It is the same at every start, unless somebody else has taken its name under the temporary folder.
    """
    folder = home / "socket"
    pointer = home / "socket.place"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_PATH:
        known = pointer.read_text().strip() if pointer.exists() else tempfile.mkdtemp(prefix="lumbar-")
        folder = Path(known)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            folder = Path(tempfile.mkdtemp(prefix="lumbar-"))
        pointer.write_text(str(folder))
    else:
        folder.mkdir(mode=0o700, exist_ok=True)
    account.owns(folder)
    return folder


def write_configuration(cluster: Path, socket: Path, *, durable: bool, with_roles: bool) -> Path:
    """Write the server's configuration file and give its path.

    With roles, everybody but the superuser must show a password. There is room for many processes then, and
    in a cluster that is not durable: tests run several clinics in one.
    """
    settings = {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{str(socket).replace(chr(39), chr(39) * 2)}'",
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "shared_buffers": "'64MB'",
        "max_wal_size": "'1GB'",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "lc_messages": "'C'",
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_statement": "none",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_checkpoints": "off",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings["max_connections"] = "300"
    if with_roles:
        rules = cluster / "lumbar.hba"
        rules.write_text(f"local all {SUPERUSER} trust\nlocal all all scram-sha-256\n")
        rules.chmod(0o644)
        quoted = str(rules).replace("'", "''")
        settings |= {"hba_file": f"'{quoted}'", "max_connections": "300"}
    path = cluster / "lumbar.conf"
    path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    path.chmod(0o644)
    return path


def run_as(account: Account, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL as the server's user and wait for it."""
    return subprocess.run(  # noqa: S603 - our own programs with our own arguments
        [program, *arguments],
        cwd="/",
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
    )


def environment() -> dict[str, str]:
    """Give a child just what it needs: no setting of ours and no PG* variable of the caller's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
