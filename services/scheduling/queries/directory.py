"""The directory as it stands."""

from shared.db import Transaction
from shared.directory.rows import DirectoryResource

_ONE = "SELECT * FROM directory_resource WHERE type = $1 AND logical_id = $2"
_ALL = "SELECT * FROM directory_resource ORDER BY type, logical_id"


async def one(tx: Transaction, resource_type: str, logical_id: str) -> DirectoryResource | None:
    """Read one resource, without a lock."""
    return await tx.row(DirectoryResource, _ONE, resource_type, logical_id)


async def everything(tx: Transaction) -> list[DirectoryResource]:
    """Read all of it, without a lock."""
    return await tx.rows(DirectoryResource, _ALL)


async def locked(tx: Transaction) -> list[DirectoryResource]:
    """Read all of it, and keep others from changing it meanwhile."""
    await tx.lock_names(["directory"])
    return await tx.rows(DirectoryResource, _ALL)
