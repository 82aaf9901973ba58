"""Every SELECT of this service, the claims of what is due, and the row scope of its messages."""

from services.notifications.queries import receivers, referrals, sending, visible

__all__ = ["receivers", "referrals", "sending", "visible"]
