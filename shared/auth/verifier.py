"""Tokens in, Principals out: signature by JWKS, issuer, audience, expiry, then the client's entry in
clinic.yaml.

Invariants:
- The algorithm is taken from our list and the key, never from the token.
- A token's scopes are bounded by those that clinic.yaml gives its client, whoever signed it.
- Of a person's token (`sid`) the session is asked for at every use: one that has ended is refused at once.
- A verified token is remembered until it expires, at most so many of them; machine time decides.
- What is wrong with a token is said in words of ours; the token itself is in no text and no log.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Any, Protocol

import jwt
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from shared.auth import unverified
from shared.auth.jwks import Jwks
from shared.auth.keys import ALGORITHMS
from shared.auth.principal import Principal
from shared.auth.scopes import NotAScope, Scopes
from shared.auth.unverified import NotAJwt
from shared.clinic import Client, Clinic
from shared.clock import machine_now
from shared.errors import Unauthenticated

LEEWAY_SECONDS = 30
MAX_REMEMBERED = 10_000


class TokenVerifier(Protocol):
    """Something that turns a bearer token into a Principal."""

    async def principal(self, token: str) -> Principal:
        """Verify a token; raises Unauthenticated with what is wrong with it, never with the token."""
        ...

    async def is_live(self, principal: Principal) -> bool:
        """Tell whether a caller verified earlier may go on; raises Unavailable where nobody can say."""
        ...


class LiveSessions(Protocol):
    """Knows which people's sessions go on."""

    async def is_live(self, session: str) -> bool:
        """Tell whether a session goes on; raises Unavailable where nobody can say."""
        ...


class BadToken(Unauthenticated):
    """The token was not made by our issuer for us, or is over."""


class JwtVerifier:
    """Verifies the access tokens of one issuer.

    `sessions` knows those of its people; without it a token lives as long as it says, as those of an issuer
    elsewhere do, whose `sid` is a name of its own.
    """

    def __init__(
        self,
        clinic: Clinic,
        *,
        issuer: str,
        audience: str,
        jwks: Jwks,
        sessions: LiveSessions | None = None,
    ) -> None:
        self._clinic = clinic
        self._sessions = sessions
        self._issuer = issuer
        self._audience = audience
        self._jwks = jwks
        self._remembered: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    async def principal(self, token: str) -> Principal:
        """Verify a token; raises Unauthenticated with what is wrong with it, never with the token."""
        principal = self._recall(token) or await self._verified(token)
        if not await self.is_live(principal):
            raise BadToken("the session of this token has ended; sign in again")
        return principal

    async def is_live(self, principal: Principal) -> bool:
        """Tell whether a caller verified earlier may go on; raises Unavailable where nobody can say."""
        if self._sessions is None or principal.session is None:
            return True
        return await self._sessions.is_live(principal.session)

    def _recall(self, token: str) -> Principal | None:
        known = self._remembered.get(token)
        if known is not None and machine_now().timestamp() < known[1]:
            return known[0]
        self._remembered.pop(token, None)
        return None

    async def _verified(self, token: str) -> Principal:
        claims = await self._claims(token)
        principal = principal_of(self._clinic, client=claims["client_id"], scope=claims["scope"])
        if "sid" in claims:
            principal = replace(principal, session=claims["sid"], subject=claims.get("sub"))
        self._remember(token, principal, until=float(claims["exp"]) + LEEWAY_SECONDS)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        key = await self._key(token)
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "client_id", "scope"]},
            )
        except ExpiredSignatureError:
            raise BadToken("the token has expired") from None
        except PyJWTError as error:
            raise BadToken(f"the token is not valid: {_why(error)}") from None
        if not all(isinstance(claims.get(name, ""), str) for name in ("client_id", "scope", "sid")):
            raise BadToken("the token does not say whose it is")
        return claims

    async def _key(self, token: str) -> jwt.PyJWK:
        try:
            header = unverified.read(token).header
        except NotAJwt as error:
            raise BadToken(str(error)) from None
        if header.get("alg") not in ALGORITHMS:
            raise BadToken(f"the token must be signed with {' or '.join(ALGORITHMS)}")
        key = await self._jwks.key(str(header.get("kid")))
        if key is None or key.algorithm_name != header["alg"]:
            raise BadToken("the token was signed with a key that our issuer does not have")
        return key

    def _remember(self, token: str, principal: Principal, *, until: float) -> None:
        self._remembered[token] = (principal, until)
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)


def principal_of(clinic: Clinic, *, client: str, scope: str) -> Principal:
    """Make the Principal of a verified token; raises Unauthenticated for a client that is not registered.

    Its scopes are those of the token that the client is registered for: an issuer elsewhere may sign more.
    """
    try:
        registered = clinic.client(client)
        scopes = Scopes.parse(scope.split()).within(Scopes.parse(registered.scopes))
    except KeyError:
        raise BadToken("the client of this token is not registered") from None
    except NotAScope:
        raise BadToken("the token holds a scope that is none") from None
    return Principal(
        client=registered.id,
        party=registered.party,
        scopes=scopes,
        organization=registered.organization or registered.payer,
        practitioner=registered.practitioner,
        site=registered.site or _site_of(clinic, registered),
    )


def _site_of(clinic: Clinic, client: Client) -> str | None:
    return clinic.person(client.practitioner).site if client.practitioner is not None else None


def _why(error: PyJWTError) -> str:
    name = type(error).__name__.removesuffix("Error")
    return {
        "InvalidAudience": "it is meant for somebody else",
        "InvalidIssuer": "it comes from another issuer",
        "InvalidSignature": "its signature is wrong",
        "MissingRequiredClaim": "it lacks a claim",
    }.get(name, "it cannot be read")
