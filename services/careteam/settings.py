"""What careteam's rooms need to know of the clinic and of the addresses of the other services."""

from dataclasses import dataclass

from shared.clinic import Clinic
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The clinic as clinic.yaml describes it, and where its FHIR roots are."""

    clinic: Clinic
    base_url: str

    @classmethod
    def of(cls, runtime: Runtime) -> "Settings":
        """Take from a runtime what the rooms need."""
        return cls(clinic=runtime.clinic, base_url=runtime.base_url)
