"""What this service is told at the start: the clinic, and the address under which it is reached."""

from dataclasses import dataclass

from shared.clinic import Clinic
from shared.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The clinic of clinic.yaml, and its public address without a trailing slash."""

    clinic: Clinic
    base_url: str

    @classmethod
    def of(cls, runtime: Runtime) -> "Settings":
        """Take the settings from the runtime."""
        return cls(clinic=runtime.clinic, base_url=runtime.base_url)
