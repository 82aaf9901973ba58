"""Tokens for tests until they come from the issuer: the client's own id, trusted."""

from typing import get_args

from shared.auth.principal import PartyKind, Principal
from shared.auth.scopes import Scopes
from shared.clinic import Clinic
from shared.errors import Unauthenticated


class TrustingVerifier:
    """Takes a client's id as its token."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic

    async def principal(self, token: str) -> Principal:
        """Make the Principal of the client that the token names."""
        try:
            client = self._clinic.client(token)
        except KeyError:
            raise Unauthenticated("no such client") from None
        assert client.party in get_args(PartyKind)
        return Principal(
            client=client.id,
            party=client.party,
            scopes=Scopes.parse(client.scopes),
            organization=client.organization or client.payer,
            practitioner=client.practitioner,
            site=client.site,
        )
