"""The folder of a cluster: who holds it, and what a command must know to talk to the one that runs in it.

Invariant: one process at a time owns the folder; it holds `cluster.lock`. What `cluster.json` says counts
only while somebody holds that lock.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from deploy.embedded import running_server, server_url
from deploy.services import DATABASES
from shared.errors import OneLine

_LOCK = "cluster.lock"
_STATE = "cluster.json"


class ClusterError(OneLine):
    """The cluster cannot be started or stopped; the text is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A cluster that runs: its owner's process id, its public address, and its Kafka where it has one."""

    pid: int
    url: str
    transport: str
    kafka: str | None


def database_folder(folder: Path) -> Path:
    """Name the folder of the cluster's PostgreSQL."""
    return folder / "database"


def take(folder: Path) -> IO[str]:
    """Own a cluster's folder, made where it is missing, as long as the lock is open; raises ClusterError."""
    try:
        # Passable where the database must run as another user; whatever is secret has a closed folder inside.
        folder.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        lock = (folder / _LOCK).open("a+")
    except OSError as error:
        raise ClusterError(f"the folder {folder} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ClusterError(f"a cluster runs in {folder} already; `lumbar cluster down` stops it") from None
    (folder / _STATE).unlink(missing_ok=True)
    return lock


def announce(folder: Path, running: Running) -> None:
    """Say what commands must know."""
    draft = folder / f"{_STATE}.new"
    draft.write_text(json.dumps(asdict(running)))
    draft.rename(folder / _STATE)


def settings_of(folder: Path) -> dict[str, str]:
    """Give the settings with which a command talks to the cluster of a folder; none where none runs.

    Whoever may enter the folder may look at everything, as the superuser of its PostgreSQL.
    """
    running = running_cluster(folder)
    socket = running_server(database_folder(folder)) if running is not None else None
    if running is None or socket is None:
        return {}
    settings = {
        f"LUMBAR_{service.upper()}_DATABASE_URL": server_url(socket, service) for service in DATABASES
    }
    carrier = {"LUMBAR_TRANSPORT": "postgres"} if running.kafka is None else {}
    broker = {"LUMBAR_KAFKA_BOOTSTRAP": running.kafka} if running.kafka is not None else {}
    return {"LUMBAR_URL": running.url, **settings, **carrier, **broker}


def is_held(folder: Path) -> bool:
    """Tell whether somebody owns the folder."""
    try:
        with (folder / _LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def running_cluster(folder: Path) -> Running | None:
    """Find the cluster that runs in a folder."""
    if not is_held(folder):
        return None
    try:
        return Running(**json.loads((folder / _STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
