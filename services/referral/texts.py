"""Every sentence of `referral` that people read, and the words of its codes."""

from collections.abc import Mapping

from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from services.referral.states import State
from shared.clinic import Clinic
from shared.fhir.codes import Stream
from shared.reasons import Kinds, Words

# Reasons by their codes; `{name}` stands for an argument.
REASONS: Mapping[str, str] = {
    # What triage found.
    "emergency-in-care": "An emergency came while the care goes on: see whether it ends or waits.",
    "emergency-flag": "Red flag, send the patient to the nearest emergency department: {flag}.",
    "urgent-flag": "Red flag: {flag}.",
    "unknown-flag": "Not known to the sender: {flag}.",
    "of-another-age": "The patient is not of the age that the programme is for ({lowest} to {highest}).",
    "start-back": "STarT Back {total} of 9, distress {distress} of 5: {risk} risk.",
    "programme-proposed": "Proposed for this risk: {programme}.",
    "no-self-referral": "Patients cannot refer themselves to this programme: {programme}.",
    "no-self-referral-at-all": "The clinic has no programme to which patients refer themselves.",
    "under-age": "The patient is under 18; the clinic's programmes are for adults.",
    "claim-excludes": "The programme is not possible while {claim} is active.",
    "condition-excludes": "The programme is not possible while there is {condition}.",
    "pregnancy-excludes": "The programme is not possible while the patient is pregnant.",
    "birth-excludes": "The programme is not possible so soon after giving birth.",
    "began-too-recently": "The pain began too recently; the programme is open from {day}.",
    "lasted-too-long": "The pain has lasted longer than the programme is for, without a new episode.",
    "came-back-too-long-ago": "The pain came back longer ago than the programme is for.",
    "information-needed": "Needed before it can be decided: {missing}.",
    "not-understood": "What was sent as an answer has no code that is known here, or cannot be: {missing}.",
    "consent-needed": "Still needed from the referrer: the patient's Consent that names {payer}.",
    "no-programme-for-stream": "No programme of the clinic is for the stream {stream}.",
    "accepted-for": "Accepted for: {programme}.",
    "stream-of-payer": "The payer's stream is {stream}.",
    "programme-of-payer": "{asked} is not for this payer; {programme} is.",
    "identity-in-doubt": (
        "An identifier of the patient belongs to somebody with another name or birth date, "
        "or to several people."
    ),
    "one-person-two-referrals": (
        "The records of the patient were merged, and the referral of {sent_at:%Y-%m-%d} is for the same: "
        "close one of them, or merge this one into it where it still waits."
    ),
    "unmerged-since": "The patient's records were merged by mistake; this came meanwhile. Whose is it?",
    "said-as-known": "The sender says again what is known.",
    "said-newly": "This is said newly of the patient: {members}.",
    "taken-over": "The clinic's own record of the patient says all of it now.",
    "patient-died": "The patient has died.",
    "record-not-in-use": "The sender no longer keeps this record of the patient.",
    "record-replaced": "Another record replaced this one of the patient, and it is not known here.",
    "answered-after-emergency": "The referrer answered after the emergency.",
    "answered-a-decline": "The referrer answered the clinic's decline.",
    "answered-a-question": "The referrer answered the clinic's question.",
    # Where a referral stands, and what a Task is for or why it ended.
    "received": "Received.",
    "entered-by-clinic": "The clinic entered it; it came by {way} on {sent_at:%Y-%m-%d}.",
    "tell-by-telephone": "It came by {way}: tell the sender by telephone.",
    "tell-patient": "The patient has referred themselves: tell them by telephone.",
    "urgent-until-now": "It was urgent, the sender now says otherwise, and no clinician has read it yet.",
    "clinician-decides": "It is urgent: one of these clinicians decides about it: {who}.",
    "coordinator-decides": "A clinician decides about urgent referrals that wait for it, else a coordinator.",
    "waits-too-long": "It is {state}, and waits too long at {at:%Y-%m-%d %H:%M}.",
    "visit-not-recorded": "Nobody has recorded what the first appointment of {when:%Y-%m-%d %H:%M} was.",
    "no-plan-active": "It was assessed on {since:%Y-%m-%d}, and no care plan is active.",
    "nothing-heard-of-booking": "Nothing was heard of a booking since {since:%Y-%m-%d %H:%M}.",
    "programme-is-over": "The programme began on {since:%Y-%m-%d}; its {weeks} weeks are over.",
    "nobody-owns": "It is {state}, and neither a clock nor a Task of the clinic sees that it goes on.",
    "question-unanswered": "What was asked of the clinic on {since:%Y-%m-%d %H:%M} is not answered.",
    "referrer-unanswering": "What was asked of the referrer on {since:%Y-%m-%d %H:%M} is not answered.",
    "referrer-wrote": "The referrer writes:",
    "clinic-wrote": "The clinic writes:",
    "answered": "It was answered.",
    "another-time-asked": "The patient cannot come, another time is asked for:",
    "went-on": "The referral has gone on: it is {state}.",
    "triage-overdue": "Not decided at {at:%Y-%m-%d %H:%M}; these may decide: {who}.",
    "priority-changed": "The priority is {priority}; it was {before}.",
    "clinic-looks": "A person at the clinic looks at the referral.",
    "look-today": "A clinician looks at it today:",
    "declined-by-rule": "(rule {rule}; read: {read})",
    "duplicate-suspected": (
        "The patient has an open referral for the same programme; a coordinator compares the two."
    ),
    "triaged-again": "It was triaged again.",
    "accepted-by-clinic": "Accepted by the clinic for: {programme}.",
    "declined-by-clinic": "Declined by the clinic:",
    "clinic-asks": "The clinic asks:",
    "reminded": "Reminded at {at:%Y-%m-%d %H:%M}.",
    "revoked-by-sender": "Revoked by the sender:",
    "revoked-by-message": "Revoked by the sender with a message.",
    "closed-by-clinic": "Closed by the clinic:",
    "same-as-anothers": "The clinic cares for the patient by another referral, which this one follows.",
    "records-merged": "The records were merged.",
    "two-people-after-all": "The records are of two people after all.",
    "records-unmerged": "It was merged into a referral of another person, by mistake.",
    "report-of-another": (
        "It was merged into a referral of another person by mistake, and its sender has read that person's "
        "report: tell the sender and the privacy officer."
    ),
    "same-as-earlier": "The same as the referral of {sent_at:%Y-%m-%d}, which goes on.",
    "merged": "Merged.",
    "first-ended": "The referral into which it was merged is {state}.",
    "referrer-acknowledged": "The referrer acknowledged.",
    "referrer-telephoned": "The clinic reached the referrer by telephone.",
    "not-acknowledged": "Not acknowledged at {at:%Y-%m-%d %H:%M}.",
    "emergency-corrected": "The sender corrected what had made it an emergency.",
    "corrected": "The sender corrected: {changed}.",
    "referrer-answered": "The referrer answered; the clinic looks at the referral again.",
    "report-is-there": "The patient was discharged; the report is there.",
    "discharged": "The patient was discharged.",
    # What scheduling and careteam did.
    "later-than-wished": "The sender had wished it until {day:%Y-%m-%d}.",
    "first-appointment-booked": "The first appointment is booked for {when:%Y-%m-%d %H:%M}.",
    "first-appointment-moved": "The first appointment was moved to {when:%Y-%m-%d %H:%M}.",
    "first-appointment-cancelled": "The first appointment of {when:%Y-%m-%d %H:%M} was cancelled:",
    "first-appointment-missed": "The patient missed the first appointment of {when:%Y-%m-%d %H:%M}.",
    "first-appointment-fulfilled": "The first appointment took place on {when:%Y-%m-%d %H:%M}.",
    "status-corrected": "What was recorded of the first appointment was a mistake.",
    "corrected-too-late": (
        "What was recorded of the first appointment of {when:%Y-%m-%d %H:%M} was corrected; "
        "the care had gone on since and goes on."
    ),
    "no-reason-given": "no reason was given.",
    "waitlist-joined": "No fitting time is free; the patient is on the waitlist.",
    "waitlist-left": "The patient left the waitlist.",
    "patient-arrived": "The patient arrived for the appointment of {when:%Y-%m-%d %H:%M}.",
    "guarantee-promised": "The patient will be seen by {day:%Y-%m-%d}; the day of the visit follows.",
    "guarantee-at-risk": "The promised time for the first appointment is at risk; the clinic is on it.",
    "guarantee-forecast-breach": (
        "By the plan of the evening no day in the promised time is free for the first appointment; "
        "the clinic is on it."
    ),
    "guarantee-breached": "The promised time for the first appointment has passed; the clinic is on it.",
    "guarantee-second-breached": (
        "The longest time that the clinic promises for the first appointment has passed; the clinic is on it."
    ),
    "sessions-booked": "The sessions are booked.",
    "sessions-not-booked": "The sessions could not be booked.",
    "sessions-suspended": "The sessions not yet held were cancelled.",
    "sessions-completed": "The sessions have been held.",
    "plan-active": "The care plan is active.",
    # Authorization.
    "sessions-wait": "Sessions of a programme wait for your decision.",
    "authorization-asked": "{payer} has been asked to authorize the sessions; the insurer's turn.",
    "authorization-pended": "{payer} has not decided yet; the insurer's turn.",
    "authorization-denied": "{payer} denied the sessions; the clinic's turn.",
    "authorization-not-required": "{payer} needs no authorization.",
    "authorization-cancelled": "{payer} cancelled the authorization.",
    "authorization-granted": "{payer} authorized {units} sessions ({status}).",
    "insurer-says": "Reason:",
    # Why an act is not possible, and what is possible instead.
    "acknowledge-first": "The patient was sent to an emergency department: $acknowledge comes first.",
    "claim-decided": "The Claim is {status}: a new decision needs a new Claim.",
    "kept-by-commands": "This Task is kept by the referral's own commands.",
    "merge-or-accept-first": "The referral still waits for the decision: $merge or $accept.",
    "merge-into-another": "A referral cannot be merged into itself.",
    "merge-record-into-another": "A record cannot be merged into itself.",
    "record-is-merged": "This record was merged into {into}: $unmerge comes first, or name that one.",
    "record-has-merged": "Other records were merged into this one: $unmerge them, or merge the other way.",
    "record-not-merged": "This record is not merged into another one.",
    "merge-same-patient": "The two referrals are about different patients.",
    "merge-into-first": "The other referral is {state}.",
    "name-the-programme": "Name the programme, one of {allowed}.",
    "no-emergency": "No emergency waits for an acknowledgement: the referral is {state}.",
    "no-task-step": "A Task that is {now} may become {allowed}, not {to}.",
    "nothing-asked": "Nothing is asked of the referrer: the referral is {state}.",
    "not-in-this-state": "The referral is {state}: {act} is not possible.",
    "referral-is-over": "The referral is {state}.",
    "review-first": "The referral still waits for the decision: $accept, $decline or $request-information.",
    "sent-for-another": "This identifier was sent before, for another patient.",
    "sender-does-this": "The sender itself does this; for it only where the clinic has entered the referral.",
    "task-ended": "This Task is {now} and stays so.",
}

_FLAGS = EMERGENCY_FLAGS | URGENT_FLAGS
_CLAIMS = {
    "claim-workplace": "a workplace insurance claim",
    "claim-motor": "a motor-vehicle claim",
    "claim-legal": "a legal claim",
}
_CONDITIONS = {
    "chronic-multisite-pain": "an unmanaged chronic pain disorder of several sites",
    "opioid-dependency": "an unmanaged opioid dependency",
}
# What is missing, by the code under which it is asked for.
MISSING: Mapping[str, str] = {
    **{flag: f"whether there is {words}" for flag, words in _FLAGS.items()},
    "reason-for-referral": "what the patient is sent for: a code, a reason or a Condition",
    "birth-date": "the patient's full date of birth",
    "payer": "who pays: a Coverage with its type or payor",
    "insurer": "which insurer pays: a Coverage whose payor has the insurer's identifier",
    "consent": "the patient's Consent that names the insurer",
    "claim-workplace": "whether a workplace insurance claim for the back is active",
    "claim-motor": "whether a motor-vehicle claim for the back is active",
    "claim-legal": "whether a legal claim for the back is active",
    "pregnancy": "whether the patient is pregnant or gave birth within the last year",
    "chronic-multisite-pain": "whether there is an unmanaged chronic pain disorder of several sites",
    "opioid-dependency": "whether there is an unmanaged opioid dependency",
    "onset-date": "the full date of onset",
    "episode": "whether this is a first or a recurrent episode",
    "recurrence-date": "the full date on which the pain came back",
    "postpartum-date": "the full date on which the patient gave birth",
}
# What a correction changed, by the code under which it is asked for.
_CHANGED = {
    **_FLAGS,
    **_CLAIMS,
    **_CONDITIONS,
    "reason-for-referral": "what the patient is sent for",
    "start-back": "the STarT Back tool",
    "birth-date": "the date of birth",
    "pregnancy": "pregnancy or a recent birth",
    "onset-date": "the date of onset",
    "episode": "whether it is a recurrent episode",
    "recurrence-date": "the date on which the pain came back",
    "postpartum-date": "the date of the birth",
    "programme": "the programme",
    "payer": "who pays",
    "consent": "the Consent to the insurer",
    "unavailable": "when the patient cannot come",
    "priority": "the priority",
}


# What the codes of arguments are called.
WORDS: Words = {
    "state": {str(state): str(state).replace("-", " ") for state in State},
    "stream": {str(stream): str(stream).replace("-", " ") for stream in Stream},
    "flag": _FLAGS,
    "claim": _CLAIMS,
    "condition": _CONDITIONS,
    "missing": MISSING,
    "changed": _CHANGED,
}
# What the arguments of reasons are, by their names.
ARGUMENTS: Kinds = {
    **dict.fromkeys(("at", "sent_at", "since", "when"), "dateTime"),
    "day": "date",
    **dict.fromkeys(("distress", "lowest", "total", "units", "weeks"), "integer"),
    **dict.fromkeys(("into", "payer"), "Reference"),
    **dict.fromkeys(
        (
            *("act", "allowed", "asked", "before", "changed", "claim", "condition", "flag", "highest"),
            *("members", "missing", "now", "priority", "programme", "read", "risk", "rule", "state"),
            *("status", "stream", "to", "way", "who"),
        ),
        "code",
    ),
}


def words_of(clinic: Clinic) -> Words:
    """Return the words of codes by the arguments in which they stand, with the names of this clinic."""
    programmes = {programme.id: programme.name for programme in clinic.programmes}
    return {
        **WORDS,
        "who": {person.id: f"{person.given} {person.family}" for person in clinic.people},
        "programme": programmes,
        "asked": programmes,
        "payer": {f"Organization/{payer.id}": payer.name for payer in clinic.payers},
        # Of what scheduling says, with its own sentence.
        "practitioner": {
            f"Practitioner/{person.id}": f"{person.given} {person.family}" for person in clinic.people
        },
        "room": {f"Location/{room.id}": room.name for site in clinic.sites for room in site.rooms},
    }


# What is needed of each message that other systems send, by what it asks for.
MESSAGES: Mapping[str, str] = {
    "add": (
        "A new referral: the ServiceRequest, or a Task that is about it, and the Patient; beside them what "
        "the clinic's Questionnaire asks, the Coverage and the Consent, as far as they are known."
    ),
    "update": (
        "What is new or corrected of a referral: the ServiceRequest with the identifier under which it was "
        "sent, and the resources that differ."
    ),
    "revoke": (
        "A referral is taken back: the ServiceRequest with the identifier under which it was sent; the "
        "reason stands in MessageHeader.reason or with the status of the request."
    ),
    "communicate": (
        "A question or an answer about a referral: the Communication, whose basedOn names the "
        "ServiceRequest, by reference or by the identifier under which it was sent."
    ),
    "tell-status": (
        "Where does a referral stand? The ServiceRequest with the identifier under which it was sent."
    ),
}
ANSWER_TO_A_MESSAGE = "The answer: the Task that says where the referral stands, why, and whose turn it is."
