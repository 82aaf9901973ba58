"""The directory as it stands."""

from shared.db import Transaction
from shared.directory.rows import DirectoryResource

_ONE = "SELECT * FROM directory_resource WHERE type = $1 AND logical_id = $2"
_OF_TYPE = "SELECT * FROM directory_resource WHERE type = $1 ORDER BY logical_id"
_ALL = "SELECT * FROM directory_resource ORDER BY type, logical_id"


async def one(tx: Transaction, resource_type: str, logical_id: str) -> DirectoryResource | None:
    """Read one resource, without a lock."""
    return await tx.row(DirectoryResource, _ONE, resource_type, logical_id)


async def of_type(tx: Transaction, resource_type: str) -> dict[str, DirectoryResource]:
    """Read the resources of a type by their ids, without a lock."""
    found = await tx.rows(DirectoryResource, _OF_TYPE, resource_type)
    return {row.logical_id: row for row in found}


async def everything(tx: Transaction) -> list[DirectoryResource]:
    """Read all of it, without a lock."""
    return await tx.rows(DirectoryResource, _ALL)


async def locked(tx: Transaction) -> list[DirectoryResource]:
    """Read all of it, and keep others from changing it meanwhile."""
    await tx.lock_names(["directory"])
    return await tx.rows(DirectoryResource, _ALL)
