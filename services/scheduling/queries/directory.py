"""The directory as it stands."""

from shared.db import Transaction
from shared.directory.rows import DirectoryResource

_ALL = "SELECT * FROM directory_resource ORDER BY type, logical_id"


async def locked(tx: Transaction) -> list[DirectoryResource]:
    """Read all of it, and keep others from changing it meanwhile."""
    await tx.lock_names(["directory"])
    return await tx.rows(DirectoryResource, _ALL)
