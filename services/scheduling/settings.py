"""What the rooms of scheduling are handed besides the transaction: the clinic and the referral's address."""

from dataclasses import dataclass

from shared.clinic import Clinic


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The booking desk: the clinic of clinic.yaml, and the FHIR root at which `referral` answers.

    An empty `referral_root` makes relative references.
    """

    clinic: Clinic
    referral_root: str = ""
