"""The red flags that the clinic asks about, by the linkId of their question.

The list is that of the CORE tool and of the rapid-access criteria.
"""

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
