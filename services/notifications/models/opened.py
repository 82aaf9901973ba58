"""What stands behind a patient's link once it is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifications.models.rows import (
    KnownOffer,
    KnownPatient,
    KnownVisit,
    PatientChoice,
    PatientLink,
)
from services.notifications.states import BOOKED
from shared.fhir.codes import FIRST_KINDS


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

    @property
    def stands(self) -> bool:
        """Whether the visit is booked for the time that the message told."""
        visit = self.visit
        return visit is not None and (visit.status, visit.starts_at) == (BOOKED, self.link.starts_at)

    @property
    def takes_intake(self) -> bool:
        """Whether the intake form stands there: before a first visit that is to come."""
        visit = self.visit
        return visit is not None and visit.status == BOOKED and visit.kind in FIRST_KINDS

    def can_be_taken(self, now: datetime) -> bool:
        """Tell whether a time is offered that can still be taken."""
        return self.offer is not None and self.offer.can_be_taken(now)
