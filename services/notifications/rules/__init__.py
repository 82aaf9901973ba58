"""Pure decisions: who is told what, when it is tried again, who may see an entry of the feed."""

from services.notifications.rules import (
    audiences,
    calendar_file,
    delivery,
    feed,
    mail,
    patient_mail,
    patient_news,
    reaching,
    routing,
    signature,
    webhooks,
)
