"""One async function per verb: load, decide, record."""

from services.scheduling.use_cases.accept_referral import accept, find_new, place, record_accepted
from services.scheduling.use_cases.authorize import hear_authorization
from services.scheduling.use_cases.change_appointment import appointment_for_change, change_appointment
from services.scheduling.use_cases.end_referral import end_care, end_referral
from services.scheduling.use_cases.find_free_time import free_time
from services.scheduling.use_cases.promise import look_at_promise
from services.scheduling.use_cases.timer_kinds import TimerKind
from services.scheduling.use_cases.waitlist import offer_time, open_desk, promise_is_due, try_waiting

__all__ = [
    "TimerKind",
    "accept",
    "appointment_for_change",
    "change_appointment",
    "end_care",
    "end_referral",
    "find_new",
    "free_time",
    "hear_authorization",
    "look_at_promise",
    "offer_time",
    "open_desk",
    "place",
    "promise_is_due",
    "record_accepted",
    "try_waiting",
]
