"""What this service does: learn of referrals, notify of events, take what is due, record it, deliver it."""

from services.notifications.use_cases import deliver, end, learn, notify, record, take
