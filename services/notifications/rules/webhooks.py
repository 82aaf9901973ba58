"""Which receiver hears of an event: what its party may hear, and of that what it asked for."""

from collections.abc import Iterator

from services.notifications.rules.audiences import Message, Standing, recipients
from services.notifications.rules.told import TOLD, Audience, Channel
from shared.clinic import Clinic, Webhook


def deliveries(event_type: str, standing: Standing, *, clinic: Clinic) -> list[Message]:
    """Name the messages for receivers: an event that the feed shows their party, single sessions too."""
    return [
        Message(audience=_party(hook), recipient=hook.recipient, channel=Channel.WEBHOOK)
        for hook in clinic.webhooks
        if _hears(hook, event_type) and hook.recipient in recipients(_party(hook), standing, clinic=clinic)
    ]


def never_heard(clinic: Clinic) -> Iterator[tuple[Webhook, str]]:
    """Name the events that a receiver asks for and that its party is never told of."""
    for hook in clinic.webhooks:
        for event in hook.events:
            if not _hears(hook, event):
                yield hook, event


def heard_by(hook: Webhook) -> list[str]:
    """Name the events that a receiver's party may hear of."""
    return sorted(event for event, told in TOLD.items() if _party(hook) in told.feed)


def _hears(hook: Webhook, event_type: str) -> bool:
    wanted = not hook.events or event_type in hook.events
    return wanted and event_type in TOLD and _party(hook) in TOLD[event_type].feed


def _party(hook: Webhook) -> Audience:
    return Audience.REFERRER if hook.payer is None else Audience.INSURER
