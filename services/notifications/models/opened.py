"""What stands behind a patient's link once it is opened."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.notifications.models.rows import (
    KnownOffer,
    KnownPatient,
    KnownVisit,
    PatientChoice,
    PatientLink,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A link whose birth date was right: its visit, where it is about one, and what else is booked.

    `last_answer` is the link by which the visit was answered last, at the time that it has.
    """

    link: PatientLink
    patient: KnownPatient
    visit: KnownVisit | None
    offer: KnownOffer | None
    to_come: Sequence[KnownVisit]
    choice: PatientChoice | None
    last_answer: PatientLink | None
    site: str
