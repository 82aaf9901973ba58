"""Who is told what: the one table.

A row says for one event type which sentence the live feed shows, to whom, and who gets an e-mail as well. No
sentence says anything clinical: what it is about stands behind the sign-in. E-mails of appointments are sent
for first appointments only; single sessions are the feed's business.
"""

from dataclasses import dataclass

from services.notifications.states import Audience, Channel

__all__ = ["TELLS_NOBODY", "TOLD", "UNDELIVERABLE_TEXT", "Audience", "Channel", "Told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
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


def _told(text: str, feed: tuple[Audience, ...], *email: Audience, urgent: bool = False) -> Told:
    return Told(text=text, feed=feed, email=email, urgent=urgent)


_REFERRAL = {
    "received": _told("The referral was received.", _OFFICES),
    "triaged": _told("The referral was looked at by the rules.", _OFFICES),
    "review-needed": _told("The referral waits for a person to decide.", _OFFICES, COORDINATOR),
    "accepted": _told("The referral was accepted.", _OFFICES, REFERRER),
    "information-requested": _told("Something is missing: it is the sender's turn.", _OFFICES, REFERRER),
    "information-provided": _told("The sender answered what was asked.", _OFFICES, COORDINATOR),
    "declined": _told("The referral was declined; the reason stands in it.", _OFFICES, REFERRER),
    "redirected-to-emergency": _told(
        "The referral was not queued: the sender must confirm at once.",
        _OFFICES,
        REFERRER,
        COORDINATOR,
        urgent=True,
    ),
    "emergency-acknowledged": _told("The sender confirmed.", _OFFICES, COORDINATOR),
    "emergency-escalated": _told(
        "The sender has not confirmed: telephone now.", _OFFICES, COORDINATOR, REFERRER, urgent=True
    ),
    "duplicate-suspected": _told("The referral looks like one that is open.", _OFFICES, COORDINATOR),
    "merged": _told("The referral was merged into the first one.", _OFFICES, REFERRER),
    "revoked": _told("The sender revoked the referral.", _ALL_BUT_INSURER, REFERRER, COORDINATOR, TEAM),
    "closed": _told(
        "The clinic closed the referral; the reason stands in it.", _ALL_BUT_INSURER, REFERRER, TEAM
    ),
    "completed": _told("The referral is completed; the report waits.", _ALL_BUT_INSURER, REFERRER),
}

_AUTHORIZATION = {
    "requested": _told("An authorization was asked for.", (REFERRER, COORDINATOR, INSURER), INSURER),
    "pended": _told("The insurer needs more time to decide.", (REFERRER, COORDINATOR, INSURER), COORDINATOR),
    "decided": _told(
        "The insurer decided the authorization.",
        (REFERRER, COORDINATOR, TEAM, INSURER),
        REFERRER,
        COORDINATOR,
    ),
    "cancelled": _told("The authorization is no longer asked for.", (COORDINATOR, INSURER), INSURER),
    "consent-withdrawn": _told("The consent to the insurer ended.", _OFFICES, COORDINATOR),
    "consent-given": _told("The consent to the insurer stands again.", _OFFICES),
}

_APPOINTMENT = {
    "booked": _told("The first appointment was booked.", _VISIT, REFERRER),
    "moved": _told("An appointment got a new time.", _VISIT, REFERRER, PARTICIPANTS),
    "cancelled": _told("An appointment was cancelled.", _VISIT, REFERRER, PARTICIPANTS),
    "arrived": _told("The patient arrived.", _VISIT),
    "fulfilled": _told("An appointment took place.", _VISIT),
    "missed": _told("An appointment was missed.", _VISIT, REFERRER, COORDINATOR),
}

_SCHEDULING = {
    "waitlist.joined": _told("No time was free: a place on the waitlist.", _OFFICES, REFERRER, COORDINATOR),
    "waitlist.left": _told("The waitlist was left.", _OFFICES),
    "series.booked": _told("All appointments of the series were booked.", _ALL_BUT_INSURER),
    "series.not-booked": _told("The series could not be booked as a whole.", _CARE, COORDINATOR),
    "series.suspended": _told("The series was suspended.", _ALL_BUT_INSURER, COORDINATOR, TEAM),
    "series.completed": _told("The last appointment of the series took place.", _ALL_BUT_INSURER),
    "guarantee.at-risk": _told("The promised date is at risk.", _OFFICES, COORDINATOR),
    "guarantee.breached": _told("The promised date has passed.", _OFFICES, REFERRER, COORDINATOR),
    "guarantee.met": _told("The promise was kept.", _OFFICES),
}

_CARETEAM = {
    "careteam.formed": _told("A team was formed.", _CARE, TEAM),
    "careteam.changed": _told("The team changed.", _CARE, TEAM),
    "meeting.scheduled": _told("A meeting was put on the calendar.", _MEETING),
    "meeting.agenda-published": _told("The agenda of the meeting is ready.", _MEETING, PARTICIPANTS),
    "meeting.case-decided": _told("The meeting decided.", _CARE),
    "meeting.closed": _told("The meeting was closed.", _MEETING),
    "meeting.minutes-signed": _told("The minutes were signed.", _MEETING, PARTICIPANTS),
    "action.assigned": _told("Something to do was given to an owner.", (*_CARE, OWNER), OWNER),
    "action.completed": _told("Something to do was done.", (*_CARE, OWNER)),
    "message.posted": _told("A member wrote to the team.", _CARE),
    "plan.activated": _told("The plan is active.", _ALL_BUT_INSURER, TEAM),
    "plan.revised": _told("The plan has a new version.", _ALL_BUT_INSURER, TEAM),
    "outcome.recorded": _told("An answer was recorded.", _CARE),
    "outcome.off-track": _told("The review asks the team to look again.", _CARE, TEAM),
    "patient.discharged": _told("The plan was completed.", _CARE),
}

TOLD: dict[str, Told] = (
    {f"referral.{name}": told for name, told in _REFERRAL.items()}
    | {f"authorization.{name}": told for name, told in _AUTHORIZATION.items()}
    | {f"appointment.{name}": told for name, told in _APPOINTMENT.items()}
    | _SCHEDULING
    | _CARETEAM
)

# What became of a message is in the message itself; telling people about it by message would never end.
TELLS_NOBODY = frozenset({"notification.delivered", "notification.undeliverable"})

UNDELIVERABLE_TEXT = "A message could not be delivered; its reason stands in it."
