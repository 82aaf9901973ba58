"""The copy of the directory that a service keeps.

Invariants:
- A version is never replaced by an older one, nor by itself: an event that comes again changes nothing.
- The version that is replaced goes to the history, as everywhere.
"""

from shared.context import Context
from shared.db import Transaction
from shared.directory import index
from shared.directory.rows import TYPES, DirectoryResource, row_id
from shared.events.catalog.scheduling import DirectoryChanged
from shared.fhir import store


async def follow(ctx: Context, tx: Transaction, event: DirectoryChanged) -> None:
    """Keep what the directory says now, unless this or a newer version is kept already.

    Raises ValueError for a resource that is of no type of the directory.
    """
    resource = event.focus
    if resource["resourceType"] not in TYPES:
        raise ValueError(f"the directory has no {resource['resourceType']}")
    row = DirectoryResource(
        id=row_id(resource["resourceType"], resource["id"]),
        type=resource["resourceType"],
        logical_id=resource["id"],
        version=event.resource_version,
        last_updated=event.changed_at,
        body=event.body,
        **index.read(resource),
    )
    await store.keep(tx, row)
