"""The public addresses of the clinic, and which addresses are its own."""

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """The public addresses of the clinic: `base` without a trailing slash, `service` the one that acts.

    `former` are bases under which the clinic has run before: they stand in what it wrote then.
    """

    base: str
    service: str
    former: tuple[str, ...] = ()

    @property
    def fhir(self) -> str:
        """The FHIR root of the service that acts."""
        return self.fhir_of(self.service)

    def fhir_of(self, service: str) -> str:
        """Return the FHIR root of a service of this clinic."""
        return f"{self.base}/{service}/fhir"

    def owns(self, address: str) -> bool:
        """Tell whether an address with a path is this clinic's own, and not another server's."""
        return any(address.startswith(f"{base}/") for base in (self.base, *self.former))

    def up_to_date(self, body: bytes) -> bytes:
        """Write the addresses of before in a body as those of now; only whole FHIR addresses are ours."""
        if not self.former:
            return body
        return _addresses(self.former).sub(rb'"%s/\1/fhir/' % self.base.encode(), body)


@lru_cache(maxsize=8)
def _addresses(bases: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(rb'"(?:%s)/([a-z]+)/fhir/' % b"|".join(re.escape(base.encode()) for base in bases))
