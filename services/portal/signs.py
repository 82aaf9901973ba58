"""What states are called on pages, and their signs: a word and a shape, never colour alone.

Texts are English here and translated by the catalogue; `_` only marks them for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Sign = Literal["stop", "risk", "asked", "waiting", "well", "done", "turn"]
SHAPES: Mapping[Sign, str] = {
    "stop": "■",
    "risk": "▲",
    "asked": "?",
    "waiting": "○",
    "well": "●",
    "done": "✓",
    "turn": "→",
}


def _(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class State:
    """What a state is called and how it is signed."""

    text: str
    sign: Sign


REFERRAL: Mapping[str, State] = {
    "awaiting-triage": State(_("Awaiting triage"), "waiting"),
    "information-requested": State(_("Asked for information"), "asked"),
    "emergency-redirected": State(_("Sent to emergency"), "stop"),
    "emergency-acknowledged": State(_("Emergency confirmed"), "done"),
    "awaiting-review": State(_("Awaiting review"), "waiting"),
    "declined": State(_("Declined"), "done"),
    "duplicate-suspected": State(_("Maybe a duplicate"), "asked"),
    "merged": State(_("Merged"), "done"),
    "accepted": State(_("Accepted"), "well"),
    "awaiting-booking": State(_("Accepted, not booked yet"), "waiting"),
    "waitlisted": State(_("On the waitlist"), "risk"),
    "booked": State(_("Booked"), "well"),
    "missed": State(_("Visit missed"), "risk"),
    "appointment-cancelled": State(_("Visit cancelled"), "risk"),
    "assessed": State(_("Assessed"), "well"),
    "in-programme": State(_("In the programme"), "well"),
    "discharged": State(_("Discharged"), "done"),
    "revoked": State(_("Revoked"), "done"),
    "closed": State(_("Closed"), "done"),
}
APPOINTMENT: Mapping[str, State] = {
    "waitlist": State(_("On the waitlist"), "risk"),
    "pending": State(_("Time held"), "asked"),
    "proposed": State(_("Day follows"), "waiting"),
    "booked": State(_("Booked"), "well"),
    "arrived": State(_("Arrived"), "well"),
    "checked-in": State(_("In the room"), "well"),
    "fulfilled": State(_("Took place"), "done"),
    "noshow": State(_("Missed"), "risk"),
    "cancelled": State(_("Cancelled"), "done"),
}
GUARANTEE: Mapping[str, State] = {
    "planned": State(_("Planned"), "waiting"),
    "on-track": State(_("Open"), "waiting"),
    "at-risk": State(_("At risk"), "risk"),
    "forecast-breach": State(_("Too late by the plan"), "risk"),
    "breached": State(_("Broken"), "stop"),
    "met": State(_("Kept"), "done"),
    "ended": State(_("Ended"), "done"),
}
TASK: Mapping[str, State] = {
    "requested": State(_("To do"), "turn"),
    "received": State(_("Received"), "turn"),
    "accepted": State(_("Taken on"), "waiting"),
    "in-progress": State(_("In progress"), "waiting"),
    "on-hold": State(_("On hold"), "waiting"),
    "completed": State(_("Done"), "done"),
    "rejected": State(_("Handed back"), "risk"),
    "cancelled": State(_("Cancelled"), "done"),
    "failed": State(_("Failed"), "risk"),
}
AUTHORIZATION: Mapping[str, State] = {
    "requested": State(_("To decide"), "turn"),
    "pended": State(_("Pended"), "asked"),
    "approved": State(_("Approved"), "done"),
    "partially-approved": State(_("Partly approved"), "done"),
    "modified": State(_("Approved with changes"), "done"),
    "denied": State(_("Denied"), "stop"),
    "not-required": State(_("Not required"), "done"),
    "cancelled": State(_("Cancelled"), "done"),
    "expired": State(_("Expired"), "risk"),
}
MESSAGE: Mapping[str, State] = {
    "preparation": State(_("Waiting to be sent"), "waiting"),
    "in-progress": State(_("Being sent"), "waiting"),
    "completed": State(_("Delivered"), "done"),
    "not-done": State(_("Not sent"), "risk"),
    "stopped": State(_("Given up"), "stop"),
}
PLAN: Mapping[str, State] = {
    "draft": State(_("Draft"), "waiting"),
    "active": State(_("Active"), "well"),
    "completed": State(_("Completed"), "done"),
    "revoked": State(_("Ended"), "done"),
    "proposed": State(_("Proposed"), "waiting"),
    "on-hold": State(_("On hold"), "waiting"),
    "cancelled": State(_("Given up"), "done"),
}
MEETING: Mapping[str, State] = {
    "scheduled": State(_("Planned"), "waiting"),
    "agenda-published": State(_("Agenda published"), "waiting"),
    "open": State(_("Open"), "well"),
    "closed": State(_("Closed"), "done"),
    "minutes-signed": State(_("Minutes signed"), "done"),
    "not-held": State(_("Not held"), "risk"),
}
CASE: Mapping[str, State] = {
    "queued": State(_("For the next meeting"), "waiting"),
    "on-agenda": State(_("To decide"), "turn"),
    "carried-over": State(_("Carried over"), "waiting"),
    "decided": State(_("Decided"), "done"),
    "dropped": State(_("Dropped"), "done"),
}
KINDS: Mapping[str, Mapping[str, State]] = {
    "referral": REFERRAL,
    "appointment": APPOINTMENT,
    "guarantee": GUARANTEE,
    "task": TASK,
    "authorization": AUTHORIZATION,
    "message": MESSAGE,
    "plan": PLAN,
    "meeting": MEETING,
    "case": CASE,
}
