"""Write a new migration for a service: `python -m deploy.migrations SERVICE "what it does"`.

A scratch server is brought to the newest version, and what the models have beyond it is written down.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.embedded import EmbeddedPostgres
from deploy.services import DATABASES, metadata, package
from shared.db import Database, migrate


async def write_revision(server: EmbeddedPostgres, service: str, title: str) -> Path | None:
    """Write the next version of a service, None where its models have nothing new."""
    database = Database.connect(server.url("postgres"), name=service)
    try:
        if migrate.head(package(service)) is not None:
            await migrate.upgrade(database, package=package(service))
        return await migrate.write_revision(
            database, metadata(service), package=package(service), title=title
        )
    finally:
        await database.close()


def main(arguments: list[str]) -> int:
    """Run the command; the scratch server is gone afterwards."""
    if len(arguments) != 2 or arguments[0] not in DATABASES:
        sys.stderr.write(f'usage: python -m deploy.migrations {"|".join(DATABASES)} "what it does"\n')
        return 2
    with tempfile.TemporaryDirectory(prefix="lumbar-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres.start(Path(folder) / "data", durable=False)
        try:
            written = asyncio.run(write_revision(server, arguments[0], arguments[1]))
        finally:
            server.stop()
    if written is not None:
        subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(written)], check=False)  # noqa: S603
    sys.stdout.write(f"{written or 'the models have nothing new'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
