"""Keep a message as the Communication that readers get."""

from collections.abc import Sequence
from datetime import datetime

from services.notifications import fhir
from services.notifications.models import Attempt, Notification
from services.notifications.rules import TOLD
from services.notifications.settings import Settings
from shared.db import Transaction
from shared.fhir import store


async def put_message(
    tx: Transaction, row: Notification, attempts: Sequence[Attempt], *, settings: Settings, at: datetime
) -> None:
    """Render a message with its attempts and store it under its next version."""
    text = TOLD[row.event_type].text
    await store.put(tx, row, fhir.communication(row, attempts, settings=settings, text=text), at=at)
