"""Every version of every resource: the newest from its row, the earlier from `resource_version`."""

from shared.db import Database
from tests.support.sql import sql

_OF_RESOURCES = """
SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'
  AND column_name IN ('version', 'last_updated', 'body', 'event_version')
GROUP BY table_name HAVING count(*) = 4 ORDER BY table_name
"""
_EARLIER = "SELECT type, id, version, last_updated, body FROM resource_version"


async def versions_of(database: Database) -> str:
    """Give the SELECT of type, id, version, last_updated and body, to be put in brackets."""
    async with database.transaction() as tx:
        tables = [row.table_name for row in (await sql(tx, _OF_RESOURCES)).all()]
    newest = [
        "SELECT convert_from(body, 'UTF8')::json->>'resourceType' AS type, id::text, version, last_updated,"
        f' body FROM "{table}" WHERE version > 0'
        for table in tables
    ]
    return " UNION ALL ".join([_EARLIER, *newest])
