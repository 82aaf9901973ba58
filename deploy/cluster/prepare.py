"""Prepare a local cluster's databases, topics and secrets: `python -m deploy.cluster.prepare`, run by it.

The first line on standard input names the server and the passwords of the roles (they stand in no argument),
the second the settings of the broker, which starts meanwhile.
"""

import asyncio
import json
import os
import sys

import asyncpg

from deploy.events import prepare_topics
from deploy.migrating import migrate_databases
from deploy.receivers import make_receivers_secrets
from deploy.roles import make_databases, make_roles
from deploy.serve.command import clinic_of
from deploy.settings import load_settings
from shared.errors import OneLine


async def prepare(server: str, passwords: dict[str, str]) -> None:
    """Make roles and databases as the superuser, migrate as their owner; raises OneLine."""
    settings = load_settings()
    make_receivers_secrets(clinic_of(settings), data=settings.data)
    connection = await asyncpg.connect(server)
    try:
        await make_roles(connection, passwords)
        await make_databases(connection)
    finally:
        await connection.close()
    await migrate_databases(settings)


def main() -> int:
    """Run the command."""
    first = json.loads(sys.stdin.readline())
    try:
        asyncio.run(prepare(first["server"], first["passwords"]))
        if broker := json.loads(sys.stdin.readline() or "{}"):
            asyncio.run(prepare_topics(load_settings({**os.environ, **broker})))
    except OneLine as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
