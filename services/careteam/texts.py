"""Every sentence of careteam that it writes for people of its own accord."""

# Why a team ended, by event type.
ENDED = {
    "referral.revoked": "the referral was revoked",
    "referral.closed": "the referral was closed",
    "referral.merged": "the referral was merged into another",
}
DISCHARGED = "discharged"

FIRST_PLAN_REVIEW = "first review of the plan by the whole team"
OFF_TRACK = "off track: {instrument}"
ACTION_OVERDUE = "an action was not done in time"
ACTION_REJECTED = "an action was rejected by its owner"

MEASURE = "Review of week {week}: measure {instruments}"
REVISE_PLAN = "Revise the plan as the meeting decided"

CASE_DECIDED = "case decided"
MINUTES_SIGNED = "minutes signed"
MEETING = "Case meeting, {site}"
NOT_HELD = "nobody opened it; its cases are carried over"
MINUTES = "Minutes of a case meeting"
MINUTES_OF = "Minutes, {day:%Y-%m-%d}"
CASE_OF_MINUTES = "Case {number}: {what}"
WAS_DECIDED = "decided"
WAS_CARRIED_OVER = "not decided, carried over"
NOBODY_FOR = "Nobody at this site for: {disciplines}"

GOALS = {"nprs": "Less pain in daily life", "oswestry": "Doing more in daily life"}
BETTER = "better than the baseline"
WORSE = "worse than the baseline"
