"""What this service does: learn of referrals, tell of events, take what is due, record it, deliver it."""

from services.notifications.use_cases import deliver, end, learn, record, take, tell

__all__ = ["deliver", "end", "learn", "record", "take", "tell"]
