"""What a person wants to change of an appointment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.scheduling.states import AppointmentStatus
from shared.fhir.codes import is_the_patients


@dataclass(frozen=True, kw_only=True)
class CancellationReason:
    """Why an appointment is cancelled; codes that begin with `pat` are the patient's own doing.

    `other_codings` say it in other systems and are kept.
    """

    code: str
    words: str | None
    other_codings: Sequence[Mapping[str, Any]] = ()

    @property
    def is_the_patients(self) -> bool:
        """The patient called it off, not the clinic."""
        return is_the_patients(self.code)


@dataclass(frozen=True, kw_only=True)
class AppointmentChange:
    """A new status, a new start, or neither; a reason where the appointment is cancelled."""

    status: AppointmentStatus | None = None
    start: datetime | None = None
    reason: CancellationReason | None = None
