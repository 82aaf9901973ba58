"""What a failure test can do with a clinic, whatever its shape."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from shared.db import Database
from tests.failure.audit.evidence import Published
from tests.support.mailbox import Mailbox

Databases = Mapping[str, Database]
# What a test's own look into a database may raise while that is away.
AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class Place(Protocol):
    """A clinic of real processes; `targets` are the names of those that may be killed, `keys` its keys."""

    name: str
    may_repeat: bool
    mailbox: Mailbox

    @property
    def url(self) -> str: ...

    @property
    def keys(self) -> Path: ...

    @property
    def targets(self) -> Sequence[str]: ...

    async def kill(self, target: str) -> None:
        """Kill a process; it stays dead until `start`."""
        ...

    async def start(self, target: str, *, failpoint: str = "") -> None:
        """Start a process that is dead, with fail points armed."""
        ...

    async def ready(self) -> float:
        """Wait until every process is ready, and tell how many seconds that took."""
        ...

    async def is_back(self, target: str) -> bool:
        """Wait until one process is ready; tell that it was not where it was killed before."""
        ...

    def databases(self) -> AbstractAsyncContextManager[Databases]:
        """Open the databases of all services."""
        ...

    async def published(self, databases: Databases) -> Mapping[str, Sequence[Published]]:
        """Read every topic, those of a partition in its order."""
        ...

    async def lag(self, databases: Databases) -> Mapping[str, int]:
        """Tell how far every group is behind the end of what it reads."""
        ...

    async def days_pass(self, appointment: str) -> None:
        """Move an appointment into the past."""
        ...
