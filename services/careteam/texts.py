"""The sentence of every reason that careteam gives, and its names for what it makes."""

from collections.abc import Mapping

from services.careteam.models.instruments import INSTRUMENTS
from shared.reasons import Kinds, Words

_INSTRUMENTS = {instrument.id: instrument.name for instrument in INSTRUMENTS.values()}
# What the codes of arguments are called.
WORDS: Words = {"instrument": _INSTRUMENTS, "instruments": _INSTRUMENTS}
# What the arguments of reasons are, by their names.
ARGUMENTS: Kinds = {
    "measured_at": "dateTime",
    "week": "integer",
    **dict.fromkeys(
        ("allowed", "disciplines", "instrument", "instruments", "programme", "risk", "state", "to"), "code"
    ),
}

REASONS: Mapping[str, str] = {
    # Why a team ended, and with it its case and its actions.
    "referral-revoked": "The referral was revoked.",
    "referral-closed": "The referral was closed.",
    "patient-discharged": "The patient was discharged.",
    # Why a case is on an agenda.
    "first-plan-review": "First review of the plan by the whole team.",
    "off-track": "Off track: {instrument}.",
    "other-programme-proposed": "STarT Back shows a {risk} risk; proposed for it: {programme}.",
    "action-overdue": "An action was not done in time.",
    "action-rejected": "An action was rejected by its owner.",
    "patient-died": "The patient has died.",
    "visit-not-held": "The first visit was recorded as held by mistake, and the plan was opened after it.",
    # Why a draft that was taken back is open again.
    "visit-held": "The first visit was held after all.",
    # What the clinic itself asks of an owner.
    "to-measure": "Review of week {week}: measure {instruments}",
    "to-revise-plan": "Revise the plan as the meeting decided",
    # What a draft waits for.
    "to-activate-plan": "The plan is a draft: a member of the team writes and activates it.",
    # What became of a meeting, a case and minutes, and what a team lacks.
    "meeting-not-held": "Nobody opened it; its cases are carried over.",
    "case-decided": "Case decided.",
    "minutes-signed": "Minutes signed.",
    "nobody-for": "Nobody at this site for: {disciplines}.",
    # Why something cannot be done.
    "no-such-step": "It is {state}: it can become {allowed}, not {to}.",
    "nothing-follows": "It is {state} and stays so.",
    "not-the-chair": "Only the chair of this meeting may do this.",
    "plan-is-active": "The plan is active: another version revises it.",
    "plan-not-active": "The plan is a draft: it is activated before it is revised.",
    "meeting-not-open": "The meeting is {state}; cases are decided while it is open.",
    "not-on-this-agenda": "There is no such case on this agenda.",
    "case-is-over": "The case is {state}.",
    "no-quorum": "No quorum for this case: nobody present for {disciplines}.",
    "team-has-ended": "The team has ended with its referral.",
    "already-on-the-agenda": "The case of this patient waits for a meeting already.",
    "not-the-owner": "Only its owner updates an action.",
    "decided-at-a-meeting": "A case is decided at its meeting, with $decide.",
    "no-goal": "An active plan has at least one goal.",
    "no-activity": "An active plan has at least one activity.",
    "no-summary": "Completing a plan needs a note that says how it ended.",
    "no-reason-to-reject": "Rejecting an action needs a reason.",
    "before-the-baseline": "The baseline was measured at {measured_at:%Y-%m-%d %H:%M}, later than this.",
}

MEETING = "Case meeting, {site}"
MINUTES = "Minutes of a case meeting"
MINUTES_OF = "Minutes, {day:%Y-%m-%d}"
CASE_OF_MINUTES = "Case {number}: {what}"
WAS_DECIDED = "decided"
WAS_CARRIED_OVER = "not decided, carried over"

GOALS = {"nprs": "Less pain in daily life", "oswestry": "Doing more in daily life"}
BETTER = "better than the baseline"
WORSE = "worse than the baseline"
