"""The sentence of every reason that scheduling gives, and what the directory says of a programme."""

from collections.abc import Iterator, Mapping

from shared.clinic import Clinic, Programme
from shared.reasons import Kinds, Words

REASONS: Mapping[str, str] = {
    # Why a referral ended here.
    "referral-revoked": "The referral was revoked.",
    "referral-closed": "The referral was closed.",
    "referral-merged": "The referral was merged into another.",
    "patient-discharged": "The patient was discharged.",
    "patient-died": "The patient has died.",
    # Why sessions were cancelled, or are not booked, and what is free instead.
    "beyond-the-grant": "Beyond what the payer grants.",
    "first-moved": "The first appointment moved.",
    "first-has-no-time": "The first appointment has no time yet.",
    "first-not-held": "Sessions are booked after the first appointment took place.",
    "no-sessions": "Programme {programme} has no sessions.",
    "payer-undecided": "The payer has not decided yet.",
    "payer-decided": "The payer's decision is: {status}.",
    "nothing-granted": "Nothing is granted for {discipline}.",
    "sessions-held": "{count} sessions took place.",
    "session-finds-no-time": "Session {failed} of {count} finds no time inside the grant and the pace.",
    "free-instead": "Free instead: {start:%Y-%m-%d %H:%M} with {practitioner}.",
    "no-room-in-week": "{discipline} has no room in the week of {week}.",
    "block-begins": "The earliest week in which the whole block has room begins on {week}.",
    "no-block-begins": "No week of the next half year begins a block with room for all of it.",
    "series-not-refused": "Only a series that found no room as a whole is booked in part.",
    "nothing-to-settle": "Nothing of this series is looked for.",
    "no-session-to-come": "No session of this series that is meant is still to come.",
    "group-keeps-its-clinician": (
        "A group has one clinician and one room for everybody: another one is for all who are in it."
    ),
    "session-cannot-move": "The session of {when:%Y-%m-%d %H:%M} cannot be moved so, and so none is.",
    "series-held": "The series is held from {starts_on} to {ends_on}.",
    "missed-in-a-row": (
        "{count} sessions were missed one after the other: speak to the patient before more are booked."
    ),
    "session-not-made-up": "{count} sessions of {discipline} that the grant allows find no time.",
    "nothing-free": "Nothing is free later either.",
    # Why a guarantee is at risk or broken, and what can be done.
    "day-follows": "The day is promised and follows by the plan of the evening.",
    "no-day-in-time-by-plan": "The plan of the evening finds no day before the end of the guarantee.",
    "to-be-seen-at-once": "The patient is to be seen at once: see that the visit takes place.",
    "second-promise-broken": "The longest time that the clinic promises passed before the patient was seen.",
    "nothing-free-in-time": "No time inside the guarantee was free: the patient is on the waitlist.",
    "booked-late": "The first appointment stands after the end of the guarantee: {when:%Y-%m-%d %H:%M}.",
    "seen-late": "The first appointment took place after the end of the guarantee.",
    "not-recorded": "The visit was over at {when:%Y-%m-%d %H:%M}, and nobody has recorded what became of it.",
    "not-booked": "No first appointment is booked.",
    "free-in-time": "Free inside the guarantee: {when:%Y-%m-%d %H:%M} with {practitioner}.",
    "free-sooner": "Free sooner: {when:%Y-%m-%d %H:%M} with {practitioner}.",
    "free-later": "Free after the end of the guarantee: {when:%Y-%m-%d %H:%M} with {practitioner}.",
    "nothing-free-soon": "Nothing is free in the next {weeks} weeks.",
    # Why an appointment cannot be changed as somebody wants.
    "on-the-waitlist": (
        "A place on the waitlist is booked by giving it a start; "
        "to take the patient off it, close the referral."
    ),
    "not-on-the-waitlist": "The appointment has a time already; another start moves it.",
    "no-such-step": "It is {state}: it can become {allowed}, not {to}.",
    "nothing-follows": "It is {state} and stays so.",
    "nobody-waits": "Nobody has come who could leave without being seen: it is {state}.",
    "missed-twice": (
        "The patient missed two visits in a row, the last one on {when:%Y-%m-%d %H:%M}: telephone them."
    ),
    "no-two-missed": "No two visits in a row were missed, as is right now.",
    "booked-after-all": "A visit was booked with the patient: {when:%Y-%m-%d %H:%M}.",
    "visit-unrecorded": "Nobody has recorded what became of the visit of {when:%Y-%m-%d %H:%M}.",
    "visit-recorded": "The visit was recorded.",
    "nothing-to-record": "The visit was called off or moved: there is nothing to record.",
    "ends-when-recorded": "This Task ends when the visit is recorded.",
    "time-offered": (
        "Offered: {when:%Y-%m-%d %H:%M} with {practitioner}, instead of {instead:%Y-%m-%d %H:%M}."
        " To be answered by {until:%Y-%m-%d %H:%M}."
    ),
    "offer-accepted": "The patient takes the time.",
    "offer-declined": "The patient keeps the time that they have.",
    "offer-unanswered": "Nobody answered in time.",
    "offer-expired": "The offer ended {until:%Y-%m-%d %H:%M}.",
    "offer-taken": "Somebody else has taken the time.",
    "offer-gone": "The time is not there any more.",
    "offer-over": "The offer has ended.",
    "no-offer": "This Task offers no time.",
    "visit-changed-since": "The patient's visit is not what it was when the time was offered.",
    "cancelled-late": "It was called off late: fewer than {hours} hours before it began.",
    "late-uses-a-unit": "By the rule of the payer it uses a unit all the same.",
    "left-unseen": "The patient had come and left without being seen.",
    "too-early": "It is too early: {status} can be recorded from {earliest:%Y-%m-%d %H:%M} on.",
    "no-new-time": "An appointment that is {status} has no new time.",
    "referral-ended": "The referral has ended.",
    "in-the-past": "The new start lies in the past.",
    "before-the-first": "A session comes after the first appointment.",
    "before-the-grant": "The payer grants sessions from {starts_on} on.",
    "after-the-grant": "The payer grants sessions until {ends_on}.",
    "week-is-full": "The programme has at most {per_week} sessions a week.",
    "visit-of-another": "Only the clinician of this visit and a coordinator change it.",
    "no-such-visit": "The programme has no such visit any more.",
    "no-first-to-book": "The referral has no first appointment that could be booked.",
    "first-stands": "The first appointment is booked for {when:%Y-%m-%d %H:%M}: another start moves it.",
    "first-took-place": "The patient came to the first appointment already.",
    "hold-expired": "The hold has expired at {until:%Y-%m-%d %H:%M}.",
    "hold-let-go": "The hold was let go.",
    "hold-was-booked": "The first appointment has the time that was held.",
    "held-by-another": "Somebody else holds this time until {until:%Y-%m-%d %H:%M}.",
    "no-overbooking": "Overbooking is a right that this client does not have.",
    "contended": "Others book at this time at this moment; try again.",
    # Why a booked visit no longer fits, and how the Task that names it ends.
    "person-left": "{practitioner} does not work here any more.",
    "works-elsewhere": "{practitioner} works at another site.",
    "same-person-then": "The patient has another visit at the same time: {visit}.",
    "person-absent": "{practitioner} is away on {day}.",
    "room-gone": "This site has no {room} any more.",
    "site-closed": "The site is closed on {day}.",
    "nothing-left": "Every visit fits again, was moved or called off, or is over.",
    "kept-by-the-visit": "This Task follows from what becomes of the visit.",
    "patient-to-tell": "The visit is on {day:%Y-%m-%d}: tell the patient by telephone.",
    "patient-told": "The patient was told.",
    "message-arrived": "A message about it reached the patient.",
    "visit-to-tell": "The visit of {when:%Y-%m-%d %H:%M} is new or has another time: tell the patient.",
    "series-to-tell": "A series of visits is booked, the next on {day:%Y-%m-%d}: tell the patient of all.",
    "message-not-arrived": "No message about the visit of {when:%Y-%m-%d %H:%M} arrived: telephone.",
    "cancellation-not-told": (
        "The visit of {when:%Y-%m-%d %H:%M} does not take place, and no message said so: telephone."
    ),
    "asks-for-another-time": (
        "The patient asks for another time than {when:%Y-%m-%d %H:%M}, which stands until there is one."
    ),
    "patient-came": "The patient came.",
    "visit-does-not-stand": "The visit does not stand any more.",
    "task-ended": "This Task is {now} and stays so.",
    # Why a roster cannot be changed as somebody wants.
    "away-already": "{practitioner} is away already, until {until:%Y-%m-%d %H:%M}.",
    "hours-overlap": "{practitioner} would have hours twice at the same time ({weekday}).",
    "chairs-the-meeting": "{practitioner} chairs the case meeting of this site, and nobody else does yet.",
    "last-of-discipline": "Nobody would be left here for {discipline}, which the team of {programme} needs.",
    "last-hours-for": "Nobody of {discipline} would have hours for {purpose} visits of {programme}.",
    "last-room-of-kind": "The site would have no {kind} room any more, which visits of {programme} need.",
    "closed-already": "The site is closed already, until {until:%Y-%m-%d %H:%M}.",
    # What a correction of a status does, leaves, and is refused for.
    "recorded-by-mistake": "It was recorded as {state} by mistake.",
    "booked-for-a-mistake": "It was booked because of a status that was recorded by mistake.",
    "guarantee-is-now": "The guarantee is {status}.",
    "visit-instead-called-off": "The visit of {when:%Y-%m-%d %H:%M} that was booked instead is called off.",
    "waitlist-place-given-up": "The place on the waitlist is given up.",
    "sessions-called-off": "{count} sessions that were still to come are called off.",
    "messages-were-sent": "Messages about it were sent and are not called back.",
    "plan-stays-if-worked-on": "A care plan that somebody has worked on since stays, and its team is told.",
    "nothing-recorded": "It is {state}: nothing was recorded of it that could be wrong.",
    "no-correction": "It is {state}: that can be corrected to {allowed}, not to {to}.",
    "had-no-time": "It never had a time that it could have again.",
    "later-visit-took-place": "The patient came to the visit of {when:%Y-%m-%d %H:%M}, booked instead.",
    # What stands in the way of a chosen time.
    "patient-busy": "The patient has another appointment until {until:%Y-%m-%d %H:%M}.",
    "person-busy": "{practitioner} has another appointment until {until:%Y-%m-%d %H:%M}.",
    "no-hours": "{practitioner} has no hours for a {purpose} visit at this time.",
    "not-offered": "{practitioner} takes no new visits at this time.",
    "nobody-gives": "Nobody gives {discipline} at this site.",
    "no-such-room": "This site has no room of the right kind.",
    "group-full": "The {seats} seats with {practitioner} are taken, until {until:%Y-%m-%d %H:%M}.",
    "group-ended": "The group session does not take place.",
    "no-group": "The visit is no seat of a group session that is still to take place.",
    "first-visits-only": "From outside the clinic first visits are booked, and nothing else.",
    "day-is-kept": "What is left of {day} is kept for patients who are more urgent.",
    "too-soon": "The clinic needs notice: the first time is {earliest:%Y-%m-%d %H:%M}.",
    "too-late": "A first visit is booked before {until:%Y-%m-%d %H:%M}.",
    "no-series": "A session more is booked beside a series that is booked.",
    "sessions-used": "All {count} sessions that may be had are booked or used.",
    "no-such-equipment": "This site has no equipment of the right kind.",
    "equipment-taken": "{device} is taken until {until:%Y-%m-%d %H:%M}.",
    "room-busy": "{room} is taken until {until:%Y-%m-%d %H:%M}.",
    "rooms-taken": "{room} and every other such room is taken until {until:%Y-%m-%d %H:%M}.",
}

_STATUSES = {
    "pending": "held",
    "waitlist": "on the waitlist",
    "noshow": "missed",
    "checked-in": "in the room",
}
# What the codes of arguments are called.
WORDS: Words = dict.fromkeys(("state", "to", "allowed", "status"), _STATUSES)
# What the arguments of reasons are, by their names.
ARGUMENTS: Kinds = {
    **dict.fromkeys(("earliest", "instead", "start", "until", "when"), "dateTime"),
    **dict.fromkeys(("day", "ends_on", "starts_on", "week"), "date"),
    **dict.fromkeys(("count", "failed", "hours", "per_week", "seats", "weeks"), "integer"),
    **dict.fromkeys(("practitioner", "room", "visit"), "Reference"),
    **dict.fromkeys(("allowed", "device", "discipline", "kind", "now", "programme", "purpose"), "code"),
    **dict.fromkeys(
        ("state", "status", "to", "weekday"),
        "code",
    ),
}


def words_of(clinic: Clinic) -> Words:
    """Return the words of codes by the arguments in which they stand, with the names of this clinic."""
    people = {f"Practitioner/{person.id}": f"{person.given} {person.family}" for person in clinic.people}
    return {
        **WORDS,
        "practitioner": people,
        "room": {f"Location/{room.id}": room.name for site in clinic.sites for room in site.rooms},
        "device": {device.id: device.name for site in clinic.sites for device in site.equipment},
        "programme": {programme.id: programme.name for programme in clinic.programmes},
    }


# Why an appointment is cancelled, in the words of HL7 for its codes.
CANCELLATIONS: Mapping[str, str] = {
    "pat": "Patient",
    "pat-crs": "Patient: Canceled via automated reminder system",
    "pat-cpp": "Patient: Canceled via Patient Portal",
    "pat-dec": "Patient: Deceased",
    "pat-fb": "Patient: Feeling Better",
    "pat-lt": "Patient: Lack of Transportation",
    "pat-mt": "Patient: Member Terminated",
    "pat-mv": "Patient: Moved",
    "pat-preg": "Patient: Pregnant",
    "pat-swl": "Patient: Scheduled from Wait List",
    "pat-ucp": "Patient: Unhappy/Changed Provider",
    "prov": "Provider",
    "prov-pers": "Provider: Personal",
    "prov-dch": "Provider: Discharged",
    "prov-edu": "Provider: Edu/Meeting",
    "prov-hosp": "Provider: Hospitalized",
    "prov-labs": "Provider: Labs Out of Acceptable Range",
    "prov-mri": "Provider: MRI Screening Form Marked Do Not Proceed",
    "prov-onc": "Provider: Oncology Treatment Plan Changes",
    "maint": "Equipment Maintenance/Repair",
    "meds-inc": "Prep/Med Incomplete",
    "other": "Other",
    "oth-cms": "Other: CMS Therapy Cap Service Not Authorized",
    "oth-err": "Other: Error",
    "oth-fin": "Other: Financial",
    "oth-iv": "Other: Improper IV Access/Infiltrate IV",
    "oth-int": "Other: No Interpreter Available",
    "oth-mu": "Other: Prep/Med/Results Unavailable",
    "oth-room": "Other: Room/Resource Maintenance",
    "oth-oerr": "Other: Schedule Order Error",
    "oth-swie": "Other: Silent Walk In Error",
    "oth-weath": "Other: Weather",
}

# What stands in a shared calendar: kinds of visits to which the clinic gives no name, and absences.
CALENDAR: Mapping[str, str] = {
    "first": "First visit",
    "joint-first": "First visit, with several disciplines",
    "session": "Session",
    "review": "Review",
    "procedure": "Procedure",
    "telehealth": "Visit by video or telephone",
    "group": "Group",
    "test": "Test",
    "meeting": "Meeting with a patient",
    "away": "Away",
}

# What the directory says of a programme.
CLOSED = "The site is closed."
_EXCLUSIONS: Mapping[str, str] = {
    "claim-workplace": "No active workplace insurance claim because of the back.",
    "claim-motor": "No active motor-vehicle claim because of the back.",
    "claim-legal": "No active legal claim because of the back.",
    "pregnancy": "Not pregnant.",
    "chronic-multisite-pain": "No chronic pain at several sites.",
    "opioid-dependency": "No dependency on opioids.",
}
_STREAMS: Mapping[str, str] = {
    "public": "the public plan",
    "workplace": "a workplace insurer",
    "motor-vehicle": "a motor-vehicle insurer",
    "private": "a private insurer",
    "self-pay": "the patients themselves",
}


def who_may_refer(programme: Programme) -> str:
    """Say who may refer to a programme, and who pays for it."""
    payers = ", ".join(_STREAMS[stream] for stream in programme.streams)
    said = (
        "A practice that is registered with the clinic refers through its own system, or by telephone, fax "
        f"or letter. Paid by: {payers}."
    )
    return f"{said} Patients may refer themselves." if programme.self_referral else said


def what_is_needed(programme: Programme) -> str:
    """Say what a referral to a programme needs, in markdown."""
    needed = [
        "who the patient is: name, birth date and a way to reach them",
        "what is asked for: the programme, as `ServiceRequest.code`, or the reason for the referral",
        "the answers to the clinic's Questionnaire: red flags, when the pain began, claims, conditions",
    ]
    if set(programme.streams) - {"public", "self-pay"}:
        needed.append("the insurer, as a Coverage, and the patient's Consent that the clinic may ask it")
    return "\n".join(["A referral needs:", "", *(f"- {one}" for one in needed)])


def criteria(programme: Programme, clinic: Clinic) -> Iterator[tuple[str, str]]:
    """Give the criteria of a programme as codes, each with its sentence."""
    wanted = programme.eligibility
    yield "min-age", f"{wanted.min_age} years or older."
    if wanted.max_age is not None:
        yield "max-age", f"{wanted.max_age} years or younger."
    if wanted.pain_from_days is not None:
        yield "pain-from", f"The pain began {wanted.pain_from_days} days ago or earlier."
    if wanted.pain_to_months is not None:
        yield "pain-to", f"The pain began no more than {wanted.pain_to_months} months ago."
    if wanted.recurrence_months is not None:
        yield "recurrence", f"Or it came back no more than {wanted.recurrence_months} months ago."
    if wanted.postpartum_days is not None:
        yield "postpartum", f"The patient has not given birth in the last {wanted.postpartum_days} days."
    for excluded in wanted.exclude:
        yield f"no-{excluded}", _EXCLUSIONS[excluded]
    if wanted.payers:
        names = ", ".join(clinic.payer(payer).name for payer in wanted.payers)
        yield "payer", f"Paid by {names}."


FORECAST_ASSUMED = (
    "Referrals arrive as in the weeks that were learned from: up to 12, with a prior of half a week at four "
    "fifths of the usual visits. Who is due first is seen first. Time that is free stays free: sessions that "
    "nobody has booked yet and rooms are not counted. Nobody is told a visit for today any more."
)
FORECAST_SURE = "Four of five weeks are to lie inside their interval."
FORECAST_RANGE = (
    "Eight weeks are said with confidence. What lies farther ahead is a range, about as wide as its median."
)
