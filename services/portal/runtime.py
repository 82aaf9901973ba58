"""What the composition root hands to the portal."""

from dataclasses import dataclass

import httpx
from cryptography.fernet import Fernet

from services.portal.languages import Languages
from shared.clinic import Clinic
from shared.clock import Clock
from shared.db import Database


@dataclass(frozen=True, kw_only=True)
class PortalRuntime:
    """Everything that the portal does not make itself.

    `base_url` is the clinic's public address without a trailing slash, as browsers and the issuer write it;
    `http` calls the services where they answer (its base address may be another one); `secrets` encrypts what
    is kept of sessions.
    """

    database: Database
    clinic: Clinic
    clock: Clock
    base_url: str
    http: httpx.AsyncClient
    secrets: Fernet
    languages: Languages

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https, so that cookies are Secure."""
        return self.base_url.startswith("https://")
