"""What the rooms of scheduling are handed besides the transaction: the clinic and the referral's address."""

from dataclasses import dataclass, field
from typing import Any

from shared.clinic import Clinic
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a process need not work out again: needs of visits, kept by `use_cases/needs.py`, and the people
    and rooms that have their numbers.
    """

    needs: dict[Any, Any] = field(default_factory=dict)
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
