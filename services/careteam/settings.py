"""What careteam's rooms need to know of the clinic and of the addresses of the other services."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

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

    def zone_of_programme(self, programme: str) -> ZoneInfo:
        """The time zone of the site that a programme is given at."""
        return self.clinic.site(self.clinic.programme(programme).site).zone
