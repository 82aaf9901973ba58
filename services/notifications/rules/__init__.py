"""Pure decisions: who is told what, when it is tried again, who may see an entry of the feed."""

from services.notifications.rules import audiences, feed, mail, sending, signature, told, webhooks

__all__ = ["audiences", "feed", "mail", "sending", "signature", "told", "webhooks"]
