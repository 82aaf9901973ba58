"""The public addresses under which a service has run, the one of now among them.

What a service has written names other services by their address of that time; who reads it gets that of now.
"""

from shared.clock import machine_now
from shared.db.database import Database

_REMEMBER = "INSERT INTO public_address (url, machine_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_FORMER = "SELECT url FROM public_address WHERE url <> $1 ORDER BY url"


async def remember(database: Database, url: str) -> tuple[str, ...]:
    """Keep the address of now and return those of before."""
    async with database.transaction() as tx:
        await tx.run(_REMEMBER, url, machine_now())
        return tuple(row["url"] for row in await tx.records(_FORMER, url))
