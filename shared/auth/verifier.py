"""Tokens in, Principals out: signature by JWKS, issuer, audience, expiry, then the client's entry in
clinic.yaml.
"""

from typing import Protocol

from shared.auth.principal import Principal


class TokenVerifier(Protocol):
    """Something that turns a bearer token into a Principal."""

    async def principal(self, token: str) -> Principal:
        """Verify a token; raises Unauthenticated with what is wrong with it, never with the token."""
        ...
