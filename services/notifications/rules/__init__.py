"""Pure decisions: who is told what, when it is tried again, who may see an entry of the feed."""

from services.notifications.rules import audiences, delivery, feed, mail, routing, signature, webhooks
