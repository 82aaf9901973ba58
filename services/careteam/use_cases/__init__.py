"""The verbs of careteam: each loads, decides and records inside the caller's transaction."""

from services.careteam.use_cases import (
    actions,
    agenda,
    change_team,
    end_care,
    form_team,
    load,
    meetings,
    messages,
    outcomes,
    plans,
    reviews,
)

__all__ = [
    "actions",
    "agenda",
    "change_team",
    "end_care",
    "form_team",
    "load",
    "meetings",
    "messages",
    "outcomes",
    "plans",
    "reviews",
]
