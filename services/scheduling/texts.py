"""Every sentence of scheduling that people read: why something ended, and why something cannot be."""

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
NO_SESSIONS = "programme {programme} has no sessions"
PAYER_UNDECIDED = "the payer has not decided yet"
PAYER_DECIDED = "the payer's decision is: {status}"
NOTHING_GRANTED = "nothing is granted for {discipline}"
SESSIONS_HELD = "{count} sessions took place"
SERIES_REFUSED = "session {failed} of {count} finds no time inside the grant and the pace; {instead}"
FREE_INSTEAD = "free instead: {free}"
FREE_WITH = "{start:%Y-%m-%d %H:%M} with Practitioner/{practitioner}"
NOTHING_FREE = "nothing is free later either"

# Why an appointment cannot be changed as somebody wants.
ON_THE_WAITLIST = (
    "a place on the waitlist is booked by giving it a start; to take the patient off it, close the referral"
)
NO_SUCH_STEP = "an appointment that is {old} cannot become {new}; it can become {allowed}"
TOO_EARLY = "{status} cannot be recorded before {earliest:%Y-%m-%dT%H:%M:%SZ}"
NO_NEW_TIME = "an appointment that is {status} has no new time"
REFERRAL_ENDED = "the referral has ended"
IN_THE_PAST = "the new start lies in the past"
BEFORE_THE_FIRST = "a session comes after the first appointment"
OUTSIDE_THE_GRANT = "the payer grants sessions from {starts_on} to {ends_on}"
WEEK_IS_FULL = "the programme has at most {per_week} sessions a week"
CONTENDED = "others book at this time at this moment; try again"

# What stands in the way of a chosen time.
BLOCKED = "{resource} {why}"
BLOCKED_UNTIL = "{resource} {why} until {until:%Y-%m-%dT%H:%M:%SZ}"
BUSY = "has another appointment"
NO_HOURS = "has no hours for a {purpose} visit at this time"
NOBODY_GIVES = "nobody gives {discipline} at this site"
NO_SUCH_ROOM = "this site has no room of the right kind"
ROOMS_TAKEN = "and every other such room is taken"
