"""What the rooms of scheduling are handed besides the transaction: the clinic and the referral's address."""

from dataclasses import dataclass, field
from datetime import datetime

from services.scheduling import rules
from shared.clinic import Clinic, Visit
from shared.runtime import Runtime


@dataclass(slots=True)
class KeptNeed:
    """What a visit needs, and until when all of it is taken, as of so many times that time was given back.

    What is full stays full until somebody gives time back, so whoever looks for the earliest time may begin
    there; the constraint decides, and this is only where to look first.
    """

    need: rules.Need
    full_until: datetime | None = None
    freed: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a process need not work out again: needs, and people and rooms that have their numbers."""

    needs: dict[tuple[str, str, str, str, int], KeptNeed] = field(default_factory=dict)
    resources: set[str] = field(default_factory=set)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The booking desk: the clinic of clinic.yaml, and the FHIR root at which `referral` answers.

    An empty `referral_root` makes relative references.
    """

    clinic: Clinic
    referral_root: str = ""
    remembered: Remembered = field(default_factory=Remembered, compare=False, repr=False)

    @classmethod
    def of(cls, runtime: Runtime) -> "Desk":
        """Make the booking desk of a process."""
        return cls(clinic=runtime.clinic, referral_root=f"{runtime.base_url}/referral/fhir")

    def need(self, visit: Visit, *, site_id: str, purpose: str) -> KeptNeed:
        """Give what a visit at a site needs; the same object for the same visit."""
        key = (site_id, purpose, visit.discipline, visit.room, visit.minutes)
        found = self.remembered.needs.get(key)
        if found is None:
            need = rules.need_of(self.clinic, site_id=site_id, visit=visit, purpose=purpose)
            found = self.remembered.needs[key] = KeptNeed(need)
        return found
