"""What scheduling keeps, and the words in which it speaks of time."""

from services.scheduling.models.spans import Span, Taken
from services.scheduling.models.tables import (
    Appointment,
    Base,
    Freed,
    Funding,
    Guarantee,
    Occupancy,
    Referral,
    Resource,
    Series,
)

__all__ = [
    "Appointment",
    "Base",
    "Freed",
    "Funding",
    "Guarantee",
    "Occupancy",
    "Referral",
    "Resource",
    "Series",
    "Span",
    "Taken",
]
