"""The questions of the clinic's Questionnaire by their linkId, and the codes that their answers are read as.

The list of red flags is that of the CORE tool and of the rapid-access criteria.
"""

YES, NO, UNKNOWN = "Y", "N", "UNK"

EMERGENCY_FLAGS = {
    "saddle-anaesthesia": "numbness of the saddle, perianal or genital area",
    "bladder-disturbance": "urinary retention, overflow or a new bladder disturbance",
    "bowel-incontinence": "loss of anal tone or faecal incontinence",
    "bilateral-leg-deficit": "weakness or numbness in both legs",
    "sexual-dysfunction": "new sexual dysfunction",
    "progressive-deficit": "a neurological deficit that gets worse",
    "significant-trauma": "significant trauma",
}
URGENT_FLAGS = {
    "infection-signs": "fever or other signs of infection, drug injection or immune suppression",
    "fracture-suspected": "suspicion of a fracture, such as osteoporosis or long use of steroids",
    "cancer-history": "a history of cancer",
    "weight-loss": "unexplained weight loss",
    "night-pain": "significant unexpected night pain",
}
FLAGS = EMERGENCY_FLAGS | URGENT_FLAGS

CLAIM_CODES = ("active", "closed", "none", "unknown")
# Questions with codes of their own; all others that are no dates are answered with yes, no or unknown.
CHOICES = {
    "episode": ("first", "recurrent"),
    "claim-workplace": CLAIM_CODES,
    "claim-motor": CLAIM_CODES,
    "claim-legal": CLAIM_CODES,
    "pregnancy": ("pregnant", "postpartum", "no", "unknown"),
}
# Days that have been; one in the future is a slip of the pen.
PAST_DAYS = ("onset-date", "recurrence-date", "postpartum-date")
