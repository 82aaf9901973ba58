"""A point to which several claims are taken back together, inside the transaction of the verb."""

from shared.db import Transaction


async def begin(tx: Transaction) -> None:
    """Remember the point."""
    await tx.records("SAVEPOINT several_claims")


async def end(tx: Transaction, *, keep: bool) -> None:
    """Keep what was written since the point, or take all of it back."""
    if not keep:
        await tx.records("ROLLBACK TO SAVEPOINT several_claims")
    # Points may lie in one another, and share the name: one that is over must not stand for the outer one.
    await tx.records("RELEASE SAVEPOINT several_claims")
