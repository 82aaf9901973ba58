"""Every sentence of scheduling that people read: why something ended, and why something cannot be."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from services.scheduling.states import AppointmentStatus

# Why a referral ended here.
REVOKED = "the referral was revoked"
CLOSED = "the referral was closed"
MERGED = "the referral was merged into an earlier one"
DISCHARGED = "the patient was discharged"

# Why sessions were cancelled, or are not booked.
BEYOND_THE_GRANT = "beyond what the payer grants"
FIRST_MOVED = "the first appointment moved"
FIRST_HAS_NO_TIME = "the first appointment has no time yet"
FIRST_NOT_HELD = "sessions are booked after the first appointment took place"
PAYER_UNDECIDED = "the payer has not decided yet"

# Why an appointment cannot be changed as somebody wants.
ON_THE_WAITLIST = (
    "a place on the waitlist is booked by giving it a start; to take the patient off it, close the referral"
)
REFERRAL_ENDED = "the referral has ended"
IN_THE_PAST = "the new start lies in the past"
BEFORE_THE_FIRST = "a session comes after the first appointment"
CONTENDED = "others book at this time at this moment; try again"

# What stands in the way of a chosen time, after the name of what it is.
BUSY = "has another appointment"
ROOMS_TAKEN = "and every other such room is taken"
NO_SUCH_ROOM = "this site has no room of the right kind"


def no_sessions(programme: str) -> str:
    """Say that a programme has no sessions."""
    return f"programme {programme} has no sessions"


def payer_decided(status: str) -> str:
    """Say that the payer's answer grants nothing."""
    return f"the payer's decision is: {status}"


def nothing_granted(discipline: str) -> str:
    """Say that the payer's answer grants no session of a discipline."""
    return f"nothing is granted for {discipline}"


def sessions_held(count: int) -> str:
    """Say how much of a series took place."""
    return f"{count} sessions took place"


def series_refused(*, failed: int, count: int, free: Sequence[str]) -> str:
    """Say which session finds no time, and what is free instead."""
    text = f"session {failed} of {count} finds no time inside the grant and the pace"
    if not free:
        return f"{text}; nothing is free later either"
    return f"{text}; free instead: {', '.join(free)}"


def free_with(local_start: datetime, *, practitioner: str) -> str:
    """Say when a clinician is free, on the site's wall clock."""
    return f"{local_start:%Y-%m-%d %H:%M} with Practitioner/{practitioner}"


def no_such_step(old: AppointmentStatus, new: AppointmentStatus, *, allowed: Iterable[str]) -> str:
    """Say what an appointment can become instead."""
    others = ", ".join(allowed) or "nothing else"
    return f"an appointment that is {old} cannot become {new}; it can become {others}"


def too_early(status: AppointmentStatus, *, earliest: datetime) -> str:
    """Say from when a status can be recorded."""
    return f"{status} cannot be recorded before {earliest:%Y-%m-%dT%H:%M:%SZ}"


def no_new_time(status: str) -> str:
    """Say that an appointment of this status does not move."""
    return f"an appointment that is {status} has no new time"


def outside_the_grant(starts_on: date | None, ends_on: date | None) -> str:
    """Say between which days the payer grants sessions."""
    return f"the payer grants sessions from {starts_on} to {ends_on}"


def week_is_full(per_week: int) -> str:
    """Say how many sessions a week has."""
    return f"the programme has at most {per_week} sessions a week"


def nobody_gives(discipline: str) -> str:
    """Say that a site has nobody of a discipline."""
    return f"nobody gives {discipline} at this site"


def no_hours(purpose: str) -> str:
    """Say that a clinician does not work for this purpose then."""
    return f"has no hours for a {purpose} visit at this time"


def blocked(resource: str, why: str, *, until: datetime | None) -> str:
    """Say what stands in the way of a chosen time, and until when."""
    return f"{resource} {why}" + (f" until {until:%Y-%m-%dT%H:%M:%SZ}" if until else "")
