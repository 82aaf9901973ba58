"""Messages that were answered: the same one again, and what an earlier one was about."""

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from services.referral.models.rows import ReceivedMessage
from shared.db import Transaction

_KEPT = "SELECT * FROM received_message WHERE requester = $1 AND key = $2"
_CALLED = """
SELECT DISTINCT referral_id FROM received_message WHERE requester = $1 AND called && $2::text[] LIMIT 2
"""


def marks(texts: Sequence[str]) -> list[str]:
    """Return the SHA-256 of each text, in hexadecimal digits: what a sender writes may be of any length."""
    return [sha256(text.encode()).hexdigest() for text in texts]


async def kept(tx: Transaction, *, requester: str, key: str) -> ReceivedMessage | None:
    """Find what this sender's message was answered; the same message waits for the end of the transaction."""
    await tx.lock_names([f"{requester}\x1f{key}"])
    return await tx.row(ReceivedMessage, _KEPT, requester, key)


async def about(tx: Transaction, *, requester: str, called: Sequence[str]) -> UUID | None:
    """Find the one referral that earlier messages of this sender called so; None where it is none, or two."""
    found = await tx.records(_CALLED, requester, marks(called))
    return found[0]["referral_id"] if len(found) == 1 else None
