"""Keep a message as the Communication that readers get."""

from collections.abc import Sequence
from datetime import datetime

from services.notifications import fhir
from services.notifications.models import Attempt, Notification
from services.notifications.rules import TOLD
from shared.context import Context
from shared.db import Transaction
from shared.fhir import store


async def put_message(
    ctx: Context, tx: Transaction, row: Notification, attempts: Sequence[Attempt], *, at: datetime
) -> None:
    """Render a message with its attempts and store it under its next version."""
    text = TOLD[row.event_type].text
    await store.put(tx, row, fhir.communication(ctx, row, attempts, text=text), at=at)
