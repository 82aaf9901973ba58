"""Who is told what: the one table.

A row says for one event type which sentence the live feed shows, to whom, and who gets an e-mail as well. No
sentence says anything clinical: what it is about stands behind the sign-in. E-mails of appointments are sent
for first appointments only; single visits of every other kind are the feed's business.
"""

from dataclasses import dataclass

from services.notifications.states import Audience
from shared.fhir.codes import REMINDER, AppointmentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row: the sentence, who sees it in the feed, who gets an e-mail, and whether it cannot wait."""

    text: str
    feed: tuple[Audience, ...]
    email: tuple[Audience, ...] = ()
    urgent: bool = False


REFERRER, COORDINATOR, TEAM = Audience.REFERRER, Audience.COORDINATOR, Audience.TEAM
INSURER, OWNER, PARTICIPANTS = Audience.INSURER, Audience.OWNER, Audience.PARTICIPANTS

_OFFICES = (REFERRER, COORDINATOR)
_CARE = (COORDINATOR, TEAM)
_MEETING = (COORDINATOR, PARTICIPANTS)
_ALL_BUT_INSURER = (REFERRER, COORDINATOR, TEAM)
_VISIT = (REFERRER, COORDINATOR, TEAM, PARTICIPANTS)


def _route(text: str, feed: tuple[Audience, ...], *email: Audience, urgent: bool = False) -> Route:
    return Route(text=text, feed=feed, email=email, urgent=urgent)


_REFERRAL = {
    "received": _route("The referral was received.", _OFFICES),
    "entered": _route("The clinic entered a referral on its sender's behalf.", _OFFICES, REFERRER),
    "triaged": _route("The referral was looked at by the rules.", _OFFICES),
    "review-needed": _route(
        "The referral waits for a person to decide.", (*_OFFICES, PARTICIPANTS), COORDINATOR, PARTICIPANTS
    ),
    "patient-review-needed": _route("Somebody must look at who the patient is.", (COORDINATOR,), COORDINATOR),
    "triage-overdue": _route(
        "A referral waits too long for a clinician: telephone one.",
        (COORDINATOR, PARTICIPANTS),
        COORDINATOR,
        PARTICIPANTS,
        urgent=True,
    ),
    "overdue": _route("The referral waits too long for somebody.", (COORDINATOR,), COORDINATOR),
    "priority-changed": _route("The priority of the referral changed.", _ALL_BUT_INSURER, COORDINATOR, TEAM),
    "accepted": _route("The referral was accepted.", _OFFICES, REFERRER),
    "information-requested": _route("Something is missing: it is the sender's turn.", _OFFICES, REFERRER),
    "reminded": _route("What was asked for is still missing.", _OFFICES, REFERRER),
    "information-provided": _route("The sender answered what was asked.", _OFFICES, COORDINATOR),
    "referrer-wrote": _route("The sender wrote about the referral.", _CARE, COORDINATOR),
    "clinic-wrote": _route("The clinic wrote about the referral.", _OFFICES, REFERRER),
    "another-time-requested": _route("Another time is asked for.", _CARE, COORDINATOR),
    "corrected": _route(
        "The sender corrected the referral; the Task says what differs.", _ALL_BUT_INSURER, COORDINATOR, TEAM
    ),
    "declined": _route("The referral was declined; the reason stands in it.", _OFFICES, REFERRER),
    "redirected-to-emergency": _route(
        "The referral was not queued: the sender must confirm at once.",
        _OFFICES,
        REFERRER,
        COORDINATOR,
        urgent=True,
    ),
    "emergency-acknowledged": _route("The sender confirmed.", _OFFICES, COORDINATOR),
    "emergency-escalated": _route(
        "The sender has not confirmed: telephone now.", _OFFICES, COORDINATOR, REFERRER, urgent=True
    ),
    "duplicate-suspected": _route("The referral looks like one that is open.", _OFFICES, COORDINATOR),
    "merged": _route("The referral was merged into the first one.", _OFFICES, REFERRER),
    "revoked": _route("The sender revoked the referral.", _ALL_BUT_INSURER, REFERRER, COORDINATOR, TEAM),
    "closed": _route(
        "The clinic closed the referral; the reason stands in it.", _ALL_BUT_INSURER, REFERRER, TEAM
    ),
    "completed": _route("The referral is completed; the report waits.", _ALL_BUT_INSURER, REFERRER),
}

_AUTHORIZATION = {
    "requested": _route("An authorization was asked for.", (REFERRER, COORDINATOR, INSURER), INSURER),
    "pended": _route("The insurer needs more time to decide.", (REFERRER, COORDINATOR, INSURER), COORDINATOR),
    "decided": _route(
        "The insurer decided the authorization.",
        (REFERRER, COORDINATOR, TEAM, INSURER),
        REFERRER,
        COORDINATOR,
    ),
    "cancelled": _route("The authorization is no longer asked for.", (COORDINATOR, INSURER), INSURER),
    "consent-withdrawn": _route("The consent to the insurer ended.", _OFFICES, COORDINATOR),
    "consent-given": _route("The consent to the insurer stands again.", _OFFICES),
}

_APPOINTMENT = {
    "booked": _route("The first appointment was booked.", _VISIT, REFERRER),
    "moved": _route("An appointment got a new time.", _VISIT, REFERRER, PARTICIPANTS),
    "reassigned": _route(
        "An appointment has another clinician or room at the same time.", _VISIT, REFERRER, PARTICIPANTS
    ),
    "cancelled": _route("An appointment was cancelled.", _VISIT, REFERRER, PARTICIPANTS),
    "arrived": _route("The patient arrived.", _VISIT),
    "checked-in": _route("The patient is in the room.", _VISIT),
    "fulfilled": _route("An appointment took place.", _VISIT),
    "missed": _route("An appointment was missed.", _VISIT, REFERRER, COORDINATOR),
    "corrected": _route("What was recorded of an appointment was corrected.", _VISIT, REFERRER, PARTICIPANTS),
}

# Visits of another kind than the first say in the feed what they are; single ones are nobody's e-mail.
_BOOKED_KINDS = {
    AppointmentKind.JOINT_FIRST: _route(
        "The first appointment was booked, with several disciplines.", _VISIT, REFERRER
    ),
    AppointmentKind.SESSION: _route("A session was booked.", _VISIT),
    AppointmentKind.REVIEW: _route("A review was booked.", _VISIT),
    AppointmentKind.PROCEDURE: _route("A procedure was booked.", _VISIT),
    AppointmentKind.TELEHEALTH: _route("A visit by video or telephone was booked.", _VISIT),
    AppointmentKind.GROUP: _route("A place in a group was booked.", _VISIT),
    AppointmentKind.TEST: _route("A test was booked.", _VISIT),
    AppointmentKind.MEETING: _route("A meeting with the patient was booked.", _VISIT),
}

_SCHEDULING = {
    "waitlist.joined": _route("No time was free: a place on the waitlist.", _OFFICES, REFERRER, COORDINATOR),
    "waitlist.left": _route("The waitlist was left.", _OFFICES),
    "series.booked": _route("All appointments of the series were booked.", _ALL_BUT_INSURER),
    "series.not-booked": _route("The series could not be booked as a whole.", _CARE, COORDINATOR),
    "series.left-short": _route(
        "An appointment that may still be had finds no time: see to it.", _CARE, COORDINATOR
    ),
    "series.suspended": _route("The series was suspended.", _ALL_BUT_INSURER, COORDINATOR, TEAM),
    "series.completed": _route("The last appointment of the series took place.", _ALL_BUT_INSURER),
    "guarantee.promised": _route("A first visit is promised; its day follows.", _OFFICES, REFERRER),
    "guarantee.at-risk": _route("The promised date is at risk.", _OFFICES, COORDINATOR),
    "guarantee.forecast-breach": _route(
        "By the plan of the evening the promise will not be kept.", (COORDINATOR,), COORDINATOR
    ),
    "guarantee.forecast-lifted": _route("The plan of the evening finds a day in time again.", (COORDINATOR,)),
    "guarantee.attention-needed": _route(
        "A patient is to be seen at once: see that it happens.", (COORDINATOR,), COORDINATOR, urgent=True
    ),
    "guarantee.breached": _route("The promised date has passed.", _OFFICES, REFERRER, COORDINATOR),
    "guarantee.second-breached": _route(
        "The longest promised time has passed, and nobody was seen.",
        _OFFICES,
        REFERRER,
        COORDINATOR,
        urgent=True,
    ),
    "offer.made": _route("A freed time was offered to a patient.", (COORDINATOR,)),
    "offer.accepted": _route("A patient takes a freed time.", _OFFICES),
    "offer.declined": _route("A patient keeps the time that they have.", (COORDINATOR,)),
    "offer.ended": _route("The offer of a freed time has ended.", (COORDINATOR,)),
    "calendar.conflicts-found": _route(
        "Booked visits no longer fit hours, absences, rooms or closed days.", (COORDINATOR,), COORDINATOR
    ),
    "calendar.conflicts-resolved": _route("No visit is left to be planned anew.", (COORDINATOR,)),
    "booking.ended": _route(
        "Nothing is booked any more; the reason stands in it.", _ALL_BUT_INSURER, COORDINATOR, TEAM
    ),
    "guarantee.met": _route("The promise was kept.", _OFFICES),
}

_CARETEAM = {
    "careteam.formed": _route("A team was formed.", _CARE, TEAM),
    "careteam.changed": _route("The team changed.", _CARE, TEAM),
    "meeting.scheduled": _route("A meeting was put on the calendar.", _MEETING),
    "meeting.agenda-published": _route("The agenda of the meeting is ready.", _MEETING, PARTICIPANTS),
    "meeting.opened": _route("The meeting was opened.", _MEETING),
    "meeting.attendance-changed": _route("Somebody came to the meeting or left it.", _MEETING),
    "meeting.case-decided": _route("The meeting decided.", _CARE),
    "meeting.closed": _route("The meeting was closed.", _MEETING),
    "meeting.minutes-signed": _route("The minutes were signed.", _MEETING, PARTICIPANTS),
    "action.assigned": _route("Something to do was given to an owner.", (*_CARE, OWNER), OWNER),
    "action.completed": _route("Something to do was done.", (*_CARE, OWNER)),
    "message.posted": _route("A member wrote to the team.", _CARE),
    "plan.activated": _route("The plan is active.", _ALL_BUT_INSURER, TEAM),
    "plan.revised": _route("The plan has a new version.", _ALL_BUT_INSURER, TEAM),
    "outcome.recorded": _route("An answer was recorded.", _CARE),
    "outcome.off-track": _route("The review asks the team to look again.", _CARE, TEAM),
    "patient.discharged": _route("The plan was completed.", _CARE),
}

NOTIFICATION_ROUTES: dict[str, Route] = (
    {f"referral.{name}": route for name, route in _REFERRAL.items()}
    | {f"authorization.{name}": route for name, route in _AUTHORIZATION.items()}
    | {f"appointment.{name}": route for name, route in _APPOINTMENT.items()}
    | _SCHEDULING
    | _CARETEAM
)

_BY_KIND = {("appointment.booked", kind.value): route for kind, route in _BOOKED_KINDS.items()}


def route_of(event_type: str, kind: str | None) -> Route:
    """Give the row of an event; that of a booking is the one of its kind of visit. Raises KeyError."""
    return _BY_KIND.get((event_type, kind or "")) or NOTIFICATION_ROUTES[event_type]


# What became of a message is in the message itself; telling people about it by message would never end.
# Of a patient who changed people hear by what a service does about it; the directory is read, not
# announced, and the roster too.
TELLS_NOBODY = frozenset(
    {"notification.delivered", "notification.undeliverable", "patient.told", "patient.not-told"}
    | {"patient.changed", "directory.changed", "roster.changed"}
)

# A morning's message to a patient whose visit comes is of no event.
_REMINDER_TEXT = "The patient was reminded of a visit."


def text_of(event_type: str) -> str:
    """Give the sentence that a message says to whoever reads it signed in. Raises KeyError."""
    return _REMINDER_TEXT if event_type == REMINDER else NOTIFICATION_ROUTES[event_type].text


# What patients answer by their links: in the feed only, told by whoever took the answer.
PATIENT_ANSWERS: dict[str, str] = {
    "appointment.answered": "The patient answered about a visit.",
    "intake.answered": "The patient filled in the intake form.",
    "offer.answered": "The patient answered about a time that is offered.",
}

UNDELIVERABLE = "notification.undeliverable"
UNDELIVERABLE_TEXT = "A message could not be delivered; its reason stands in it."
