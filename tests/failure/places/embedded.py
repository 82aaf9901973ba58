"""The embedded shape: one process, killed and started as a whole."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from deploy.attach import attached
from tests.failure.audit.evidence import Published, lag_on_postgres, published_on_postgres
from tests.failure.places import time
from tests.failure.places.place import Databases
from tests.support.clinic import EXAMPLE
from tests.support.folders import open_folder
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.process import LumbarProcess

PROCESS = "lumbar"


class Embedded:
    """`lumbar up` in a folder of its own, and its mail server."""

    name = "embedded"
    may_repeat = False
    targets: Sequence[str] = (PROCESS,)

    def __init__(self, process: LumbarProcess, mailbox: Mailbox) -> None:
        self.process = process
        self.mailbox = mailbox
        self.url = process.url
        self.keys: Path = process.data / "keys"

    async def kill(self, target: str) -> None:
        """Kill the clinic."""
        self.process.kill()

    async def start(self, target: str, *, failpoint: str = "") -> None:
        """Start the clinic; it is not yet ready."""
        self.process.start(LUMBAR_FAILPOINT=failpoint)

    async def ready(self) -> float:
        """Wait until the clinic says that it is ready."""
        return await asyncio.to_thread(self.process.wait_until_ready)

    async def is_back(self, target: str) -> bool:
        """Wait until the clinic is ready."""
        return await self.ready() >= 0

    def databases(self) -> AbstractAsyncContextManager[Databases]:
        """Open the databases of the clinic, running or not."""
        return attached(self.process.data)

    async def published(self, databases: Databases) -> Mapping[str, Sequence[Published]]:
        """Read the logs in the publishers' databases."""
        return await published_on_postgres(databases)

    async def lag(self, databases: Databases) -> Mapping[str, int]:
        """Compare positions and ends."""
        return await lag_on_postgres(databases)

    async def days_pass(self, appointment: str) -> None:
        """Move an appointment into the past."""
        async with self.databases() as databases:
            await time.days_pass(databases["scheduling"], appointment)


@asynccontextmanager
async def open_embedded(changed: Mapping[str, str] = {}) -> AsyncIterator[Embedded]:
    """Make a clinic that is not yet started; nothing of it is left after the block.

    It is that of the example, with these words of its description changed.
    """
    with open_folder() as folder:
        async with open_mailbox() as mailbox:
            environment = {"LUMBAR_SMTP_URL": mailbox.url} | _described(folder, changed)
            with LumbarProcess(folder / "data", environment=environment) as process:
                yield Embedded(process, mailbox)


def _described(folder: Path, changed: Mapping[str, str]) -> dict[str, str]:
    """Write the changed description of the clinic, and say where it lies; raises ValueError."""
    if not changed:
        return {}
    text = EXAMPLE.read_text()
    for old, new in changed.items():
        if old not in text:
            raise ValueError(f"the example clinic does not say {old}")
        text = text.replace(old, new)
    described = folder / "clinic.yaml"
    described.write_text(text)
    return {"LUMBAR_CLINIC": str(described)}
