"""Which receiver hears of an event: what its party may hear, and of that what it asked for."""

from collections.abc import Iterator

from services.notifications.rules.audiences import Message, Parties, recipients
from services.notifications.rules.routing import NOTIFICATION_ROUTES
from services.notifications.states import Audience, Channel
from shared.clinic import Clinic, Webhook


def deliveries(event_type: str, parties: Parties, *, clinic: Clinic) -> list[Message]:
    """Name the messages for receivers: an event that the feed shows their party, single sessions too."""
    return [
        Message(audience=_party(hook), recipient=hook.recipient, channel=Channel.WEBHOOK)
        for hook in clinic.webhooks
        if _receives(hook, event_type) and hook.recipient in recipients(_party(hook), parties, clinic=clinic)
    ]


def unavailable_events(clinic: Clinic) -> Iterator[tuple[Webhook, str]]:
    """Name the events that a receiver asks for and that its party is never told of."""
    for hook in clinic.webhooks:
        for event in hook.events:
            if not _receives(hook, event):
                yield hook, event


def available_events(hook: Webhook) -> list[str]:
    """Name the events that a receiver's party may hear of."""
    return sorted(event for event, route in NOTIFICATION_ROUTES.items() if _party(hook) in route.feed)


def _receives(hook: Webhook, event_type: str) -> bool:
    wanted = not hook.events or event_type in hook.events
    return (
        wanted and event_type in NOTIFICATION_ROUTES and _party(hook) in NOTIFICATION_ROUTES[event_type].feed
    )


def _party(hook: Webhook) -> Audience:
    return Audience.REFERRER if hook.payer is None else Audience.INSURER
