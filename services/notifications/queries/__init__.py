"""Every SELECT of this service, the claims of what is due, and the row scope of its messages."""

from services.notifications.queries import links, messages, patients, receivers, referrals, visible, visits
