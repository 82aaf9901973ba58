"""The public addresses of the clinic, and which addresses are its own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """The public addresses of the clinic: `base` without a trailing slash, `service` the one that acts."""

    base: str
    service: str

    @property
    def fhir(self) -> str:
        """The FHIR root of the service that acts."""
        return self.fhir_of(self.service)

    def fhir_of(self, service: str) -> str:
        """Return the FHIR root of a service of this clinic."""
        return f"{self.base}/{service}/fhir"

    def owns(self, address: str) -> bool:
        """Tell whether an address with a path is this clinic's own, and not another server's."""
        return address.startswith(f"{self.base}/")
