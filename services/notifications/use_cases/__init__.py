"""What this service does: learn of referrals, notify of events, take what is due, record it, deliver it."""

from services.notifications.use_cases import (
    answer_link,
    deliver,
    end,
    learn,
    notify,
    open_link,
    record,
    reminders,
    take,
    write_to_patient,
)
