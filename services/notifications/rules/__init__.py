"""Pure decisions: who is told what, when it is tried again, who may see an entry of the feed."""

from services.notifications.rules import sending
from services.notifications.rules.audiences import (
    Message,
    Standing,
    address,
    messages,
    still_wanted,
)
from services.notifications.rules.feed import FeedEntry, may_see
from services.notifications.rules.mail import Mail, mail
from services.notifications.rules.sending import GIVE_UP_AFTER, gave_up, next_attempt, refused
from services.notifications.rules.signature import signature_headers
from services.notifications.rules.told import (
    TELLS_NOBODY,
    TOLD,
    UNDELIVERABLE_TEXT,
    Audience,
    Channel,
    Told,
)
from services.notifications.rules.webhooks import deliveries, heard_by, never_heard

__all__ = [
    "GIVE_UP_AFTER",
    "TELLS_NOBODY",
    "TOLD",
    "UNDELIVERABLE_TEXT",
    "Audience",
    "Channel",
    "FeedEntry",
    "Mail",
    "Message",
    "Standing",
    "Told",
    "address",
    "deliveries",
    "gave_up",
    "heard_by",
    "mail",
    "may_see",
    "messages",
    "never_heard",
    "next_attempt",
    "refused",
    "sending",
    "signature_headers",
    "still_wanted",
]
