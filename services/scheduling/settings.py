"""What the rooms of scheduling are handed besides the transaction: the clinic and the referral's address."""

from dataclasses import dataclass

from shared.clinic import Clinic
from shared.runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The booking desk: the clinic of clinic.yaml, and the FHIR root at which `referral` answers.

    An empty `referral_root` makes relative references.
    """

    clinic: Clinic
    referral_root: str = ""

    @classmethod
    def of(cls, runtime: Runtime) -> "Desk":
        """Make the booking desk of a process."""
        return cls(clinic=runtime.clinic, referral_root=f"{runtime.base_url}/referral/fhir")
