"""What kinds and acts are called on pages, and what is said of fields.

Texts are English here and translated by the catalogue; `_` only marks them for it.
"""

from collections.abc import Mapping


def _(text: str) -> str:
    return text


# What is said of a field, or of a call that got no answer.
NEEDED = _("This is needed.")
NOT_LISTED = _("This is not on the list.")
DAY_AS = _("Write the day as year-month-day, such as 2026-03-01.")
CLOCK_AS = _("Write the time as hour:minute, such as 09:00.")
TIME_AS = _("Write the time as year-month-dayThour:minute, such as 2026-03-01T09:00.")
AWAY = _("The service cannot be reached now; nothing was changed. Try again.")
FEWER_UNITS = _("Say how many: more than 0, and fewer than were asked for.")
PAIN_SCORE = _("A whole number from 0 to 10.")
NOTHING_ANSWERED = _("Nothing is answered yet.")
NO_ID = _("This is no id.")
ENDS_BEFORE = _("This ends before it begins.")
PRIORITIES: Mapping[str, str] = {
    "routine": _("Routine"),
    "urgent": _("Urgent"),
    "asap": _("As soon as possible"),
    "stat": _("At once"),
}
DISCIPLINES: Mapping[str, str] = {
    "physiatry": _("Physiatry"),
    "physiotherapy": _("Physiotherapy"),
    "occupational-therapy": _("Occupational therapy"),
    "psychology": _("Psychology"),
    "pain-medicine": _("Pain medicine"),
}
PARTIES: Mapping[str, str] = {
    "referrer": _("Family doctors"),
    "coordinator": _("Coordination"),
    "clinician": _("Clinicians"),
    "insurer": _("Insurers"),
    "operator": _("Operation"),
    "privacy-officer": _("Privacy"),
}
# What acts are called on buttons, by their operation's name; a test holds that each has a name.
ACTS: Mapping[str, str] = {
    "accept": _("Accept"),
    "acknowledge": _("Confirm: the patient goes to emergency"),
    "activate": _("Activate"),
    "answer": _("Decide the request"),
    "arrive": _("Arrived"),
    "book": _("Book"),
    "bring-case": _("Bring to the meeting"),
    "cancel": _("Cancel"),
    "change-members": _("Change the team"),
    "check-in": _("In the room"),
    "close": _("Close"),
    "complete": _("Done"),
    "correct": _("Correct the patient's record"),
    "correct-status": _("Correct the status"),
    "cancel-group": _("Cancel for everybody"),
    "cancel-sessions": _("Cancel sessions"),
    "move-sessions": _("Move sessions"),
    "extend": _("More sessions"),
    "book-partly": _("Book what has room"),
    "settle": _("Leave it at that"),
    "preview": _("Show the dates first"),
    "decide": _("Decide"),
    "decline": _("Decline"),
    "draft": _("Write on the draft"),
    "fail": _("Could not be done"),
    "fulfil": _("Took place"),
    "hold": _("Pause"),
    "hold-time": _("Hold the time"),
    "confirm": _("Book it"),
    "merge": _("Merge"),
    "miss": _("Did not come"),
    "leave-unseen": _("Left without being seen"),
    "move": _("Move"),
    "open": _("Open the meeting"),
    "propose": _("Propose"),
    "provide-information": _("Add information"),
    "receive": _("Take up again"),
    "record-attendance": _("Who came or left"),
    "record-answers": _("Record answers"),
    "record-rating": _("Record pain"),
    "change-roster": _("Change the roster"),
    "record-absence": _("Record it"),
    "take-back": _("Take it back"),
    "revoke-link": _("Revoke the link"),
    "tell": _("The patient was told"),
    "call": _("The patient was called"),
    "accept-offer": _("Takes the time"),
    "decline-offer": _("Keeps the old time"),
    "reject": _("Hand back"),
    "remind": _("Remind"),
    "replay": _("Try again"),
    "request-another-time": _("Ask for another time"),
    "request-information": _("Ask"),
    "revise": _("Revise"),
    "revoke": _("Revoke"),
    "send-communication": _("Write a message"),
    "save-draft": _("Save as a draft"),
    "send-referral": _("Send the referral"),
    "set-priority": _("Change the priority"),
    "sign-minutes": _("Sign the minutes"),
    "start": _("Begin"),
    "unmerge": _("Undo the merge"),
    "write": _("Write to the team"),
}
# What a form calls what an act asks, by the parameter's name; a test holds that each has a name.
FIELDS: Mapping[str, str] = {
    "reason": _("Why? The other side reads it."),
    "statusReason": _("Why?"),
    "cancelationReason": _("Why?"),
    "from": _("The first day"),
    "to": _("The last day"),
    "text": _("What do you want to say?"),
    "in-response-to": _("It answers"),
    "programme": _("Programme"),
    "priority": _("How soon?"),
    "into": _("Which referral goes on?"),
    "start": _("It begins at"),
    "status": _("What it should have been"),
    "attended": _("Who came?"),
    "arrived": _("Who came late?"),
    "left": _("Who left?"),
    "case": _("The case"),
    "decision": _("What was decided?"),
    "action": _("What is to be done"),
    "owner": _("Who does it"),
    "description": _("What"),
    "due": _("By which day"),
    "revise-plan": _("The plan is to be revised"),
    "note": _("How did it end?"),
    "lifecycleStatus": _("Status"),
    "act": _("What"),
    "code": _("Whose doing is it?"),
    "consent": _("The patient agreed to a part"),
    "count": _("How many sessions more"),
    "discipline": _("Discipline"),
    "on": _("From which day on a booster is"),
    "scope": _("Which"),
    "session": _("Session"),
    "practitioner": _("Clinician from then on"),
    "location": _("Room from then on"),
    "until": _("The last day"),
}
# What is asked of an insurer, and what it may say of each item (X12 306).
SERVICES: Mapping[str, str] = {
    "physiatry-session": _("Physiatry session"),
    "physiotherapy-session": _("Physiotherapy session"),
    "occupational-therapy-session": _("Occupational therapy session"),
    "psychology-session": _("Psychology session"),
    "pain-medicine-session": _("Pain medicine session"),
}
REVIEW_ACTIONS: Mapping[str, str] = {
    "A1": _("Approve all of it"),
    "A2": _("Approve a part"),
    "A3": _("Deny"),
    "A4": _("Ask for documents first"),
    "A6": _("Approve something else"),
    "CT": _("Contact the clinic"),
    "C": _("Cancel"),
    "NA": _("Not required"),
}
TURNS_OF_CLAIM: Mapping[str, str] = {
    "insurer": _("The insurer's turn"),
    "clinic": _("The clinic's turn"),
    "nobody": _("Decided"),
}
VISITS: Mapping[str, str] = {
    "first": _("First visit"),
    "joint-first": _("First visit with several disciplines"),
    "session": _("Session"),
    "review": _("Review visit"),
    "procedure": _("Procedure"),
    "telehealth": _("Visit by video or telephone"),
    "group": _("Group"),
    "test": _("Test"),
    "meeting": _("Meeting"),
}
SCOPES: Mapping[str, str] = {
    "one": _("This session"),
    "following": _("This session and what follows"),
    "all": _("All that are to come"),
}
SERIES_ACTS: Mapping[str, str] = {
    "cancel-sessions": _("Cancel"),
    "move-sessions": _("Move to another time, clinician or room"),
    "hold": _("Pause for some days"),
}
SERIES_STATUS: Mapping[str, str] = {
    "booked": _("Booked"),
    "not-booked": _("Not booked"),
    "suspended": _("Suspended"),
    "completed": _("Over"),
}
SERIES_OUTCOMES: Mapping[str, str] = {
    "cancelled": _("is cancelled"),
    "moved": _("moves to"),
    "reassigned": _("stays at its time, with"),
    "booked": _("is new"),
}
ROOM_KINDS: Mapping[str, str] = {
    "assessment": _("Assessment"),
    "treatment": _("Treatment"),
    "procedure": _("Procedures"),
    "group": _("Groups"),
}
WEEKDAYS: Mapping[str, str] = {
    "mon": _("Mon"),
    "tue": _("Tue"),
    "wed": _("Wed"),
    "thu": _("Thu"),
    "fri": _("Fri"),
    "sat": _("Sat"),
    "sun": _("Sun"),
}
VISIT_NUMBERS: Mapping[str, str] = {
    "minutes": _("Minutes"),
    "count": _("How many sessions"),
    "per_week": _("At most a week"),
    "before": _("Minutes kept free before"),
    "after": _("Minutes kept free after"),
    "seats": _("Seats"),
}
HOURS_FOR: Mapping[str, str] = {
    "first": _("first visits"),
    "session": _("sessions"),
}
QUESTIONNAIRES: Mapping[str, str] = {
    "oswestry": _("Oswestry Disability Index"),
    "start-back": _("STarT Back"),
}
# What is to be done, by the kinds of the services' worklists.
WORK: Mapping[str, str] = {
    "telephone-referrer": _("Telephone the sender"),
    "telephone-clinician": _("Telephone a clinician"),
    "review-referral": _("Look at the referral"),
    "merge-duplicate": _("Maybe a duplicate"),
    "resolve-identity": _("Who is it?"),
    "update-patient": _("New details of a patient"),
    "resolve-denial": _("The insurer denied"),
    "overdue-referral": _("Waits too long"),
    "answer-referrer": _("Answer the sender"),
    "another-time": _("Another time is asked for"),
    "waits-for-sender": _("Waits for the sender"),
    "acknowledge-emergency": _("Confirm the emergency"),
    "answer-clinic": _("Answer the clinic"),
    "information-requested": _("Information is asked for"),
    "decide-authorization": _("Decide the request"),
    "guarantee": _("The promise is at risk"),
    "waitlist": _("On the waitlist"),
    "replan": _("Visits no longer fit"),
    "tell": _("Tell the patient the day"),
    "recall": _("Telephone: two visits missed"),
    "offer": _("Telephone: a time has become free"),
    "unrecorded": _("Say what became of the visit"),
    "series": _("See to a series"),
    "action": _("Action"),
    "case": _("Case for a meeting"),
    "plan": _("Plan to activate"),
    "review": _("Review"),
}
# What a patient answered to a freed time.
OFFERS: Mapping[str, str] = {
    "requested": _("Asked, no answer yet"),
    "completed": _("Takes the time"),
    "rejected": _("Keeps their own time"),
    "cancelled": _("Ended"),
}
OFFER_SIGNS: Mapping[str, str] = {
    "requested": "asked",
    "completed": "done",
    "rejected": "done",
    "cancelled": "waiting",
}
OUTCOMES: Mapping[str, str] = {
    "0": _("Done"),
    "4": _("Refused"),
    "8": _("Failed"),
    "12": _("Failed gravely"),
}
AUDIT_ACTIONS: Mapping[str, str] = {
    "C": _("wrote"),
    "R": _("read"),
    "U": _("changed"),
    "D": _("removed"),
    "E": _("searched or called"),
}
# What the rules would do with a referral.
VERDICTS: Mapping[str, str] = {
    "accept": _("It would be accepted."),
    "ask": _("The clinic would ask for what is missing."),
    "review": _("A person of the clinic would look at it."),
    "emergency": _("Emergency: the patient must go to an emergency department today."),
    "decline": _("It would be declined."),
}
WAYS: Mapping[str, str] = {
    "fax": _("By fax"),
    "telephone": _("By telephone"),
    "letter": _("By letter"),
}
ANSWERS: Mapping[str, str] = {
    "Yes": _("Yes"),
    "No": _("No"),
    "Unknown": _("Not known"),
    "first": _("The first"),
    "recurrent": _("It came back"),
    "active": _("Yes, open"),
    "closed": _("Yes, closed"),
    "none": _("None"),
    "unknown": _("Not known"),
    "pregnant": _("Pregnant"),
    "postpartum": _("Gave birth within a year"),
    "no": _("No"),
    "disagree": _("Disagree"),
    "agree": _("Agree"),
    "not-at-all": _("Not at all"),
    "slightly": _("Slightly"),
    "moderately": _("Moderately"),
    "very-much": _("Very much"),
    "extremely": _("Extremely"),
}
PROVINCES: Mapping[str, str] = {
    "on": _("Ontario"),
    "qc": _("Quebec"),
    "bc": _("British Columbia"),
    "ab": _("Alberta"),
    "mb": _("Manitoba"),
    "sk": _("Saskatchewan"),
    "ns": _("Nova Scotia"),
    "nb": _("New Brunswick"),
    "nl": _("Newfoundland and Labrador"),
    "pe": _("Prince Edward Island"),
    "yt": _("Yukon"),
    "nt": _("Northwest Territories"),
    "nu": _("Nunavut"),
}
# What ends or refuses something, and what cannot be taken back: these always ask for a reason on a page.
IRREVERSIBLE = frozenset(
    {"cancel", "close", "decline", "merge", "revoke", "reject", "sign-minutes", "miss", "leave-unseen"}
)
