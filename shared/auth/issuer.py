"""The embedded SMART authorization server: client credentials by `private_key_jwt`, and nothing else.

Invariants:
- A client proves itself with its own key, for this token endpoint, for at most 5 minutes, once. Its clock may
  be 30 s away from ours, either way.
- Of a client that has registered its keys (`jwks`, `jwks_url`) those count and no other.
- A token holds no scope that clinic.yaml does not give its client: who asks for more gets what both allow.
- What is malformed in an assertion is `invalid_request`, what proves nothing `invalid_client` (RFC 6749 5.2).
- Every time here is machine time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jwt
from jwt.exceptions import PyJWTError

from shared import indexed_text
from shared.auth import unverified
from shared.auth.jwks import Jwks, KnownJwks
from shared.auth.keys import ALGORITHMS, Keys
from shared.auth.registered_keys import registered_keys
from shared.auth.scopes import NotAScope, Scopes, of_resources
from shared.auth.tables import use_once
from shared.auth.unverified import NotAJwt, WrongClaims
from shared.clinic import Client, Clinic
from shared.clock import machine_now
from shared.db import Database
from shared.errors import Unavailable
from shared.ids import new_text_id
from shared.telemetry.logging import class_of, logger

if TYPE_CHECKING:  # it brings a way to systems outside, which a clinic without them does not need
    from shared.outbound import Outbound

TOKEN_LIFETIME = timedelta(seconds=300)
ASSERTION_LIFETIME = timedelta(minutes=5)
LEEWAY = timedelta(seconds=30)
_NO_CLAIMS: Mapping[str, str] = MappingProxyType({})


class OAuthError(Exception):
    """A token request is refused: `code` is the OAuth 2.0 error, the text its description."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """An access token with what it allows."""

    access_token: str
    scope: str


class Issuer:
    """Gives tokens to the clients of clinic.yaml; `demo` says that its keys are an embedded clinic's.

    `keys` has one for each client that registered none, `outbound` leads to the keys at a `jwks_url`.
    """

    def __init__(
        self,
        clinic: Clinic,
        *,
        keys: Keys,
        database: Database,
        base_url: str,
        demo: bool = False,
        outbound: "Outbound | None" = None,
    ) -> None:
        self.base_url = base_url
        self.demo = demo
        self.keys = keys
        self._clinic = clinic
        self._database = database
        made: dict[str, Jwks] = {client: KnownJwks([jwk]) for client, jwk in keys.clients.items()}
        self._client_keys = made | registered_keys(clinic, outbound=outbound)

    @property
    def token_url(self) -> str:
        """The address of the token endpoint, which every assertion must name."""
        return f"{self.base_url}/auth/token"

    def jwks(self) -> KnownJwks:
        """The public keys that verify this issuer's tokens."""
        return KnownJwks([self.keys.issuer.jwk])

    async def exchange(self, assertion: str, *, scope: str | None) -> IssuedToken:
        """Change an assertion for a token; raises OAuthError."""
        client = await self._verified(assertion)
        return self.grant(client, scope=scope)

    def grant(
        self, client: Client, *, scope: str | None = None, of_person: Mapping[str, str] = _NO_CLAIMS
    ) -> IssuedToken:
        """Sign a token for a client that has proved itself; raises OAuthError for a scope beyond its own.

        `of_person` are the claims of the person who acts as this client: `sub`, `sid` and `azp`.
        """
        text = " ".join(_within(client, scope))
        claims: dict[str, Any] = {
            "aud": self.base_url,
            "sub": client.id,
            "client_id": client.id,
            "scope": text,
            "jti": new_text_id(),
            **of_person,
        }
        if (person := person_of(client)) is not None:
            claims["fhirUser"] = person
        return IssuedToken(access_token=self.sign(claims), scope=text)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign claims as this issuer's, for the lifetime of a token from now on."""
        now, key = machine_now(), self.keys.issuer
        told = {"iss": self.base_url, "iat": now, "exp": now + TOKEN_LIFETIME, **claims}
        return jwt.encode(told, key.private, algorithm=key.algorithm, headers={"kid": key.kid})

    async def _verified(self, assertion: str) -> Client:
        client, key = await self._claimed(assertion)
        try:
            claims = jwt.decode(
                assertion,
                key.key,
                algorithms=[key.algorithm_name],
                audience=self.token_url,
                issuer=client.id,
                subject=client.id,
                leeway=LEEWAY,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except PyJWTError as error:
            name = type(error).__name__.removesuffix("Error")
            raise OAuthError("invalid_client", f"the assertion is not valid: {name}") from None
        await self._only_once(client, claims)
        return client

    async def _claimed(self, assertion: str) -> tuple[Client, jwt.PyJWK]:
        """Find the client that the assertion claims to come from, and that client's key."""
        refused = OAuthError("invalid_client", "the assertion was not signed with this client's key")
        header, claims = _well_formed(assertion)
        try:
            client = self._clinic.client(str(claims.get("iss")))
        except KeyError:
            raise refused from None
        if header.get("alg") not in ALGORITHMS:
            raise OAuthError("invalid_client", f"sign with {' or '.join(ALGORITHMS)}")
        try:
            key = await self._client_keys[client.id].key(str(header.get("kid")))
        except Unavailable as error:
            logger().warning("client-keys.unread", client=client.id, error=class_of(error.__cause__ or error))
            raise OAuthError("invalid_client", str(error)) from None
        if key is None or key.algorithm_name != header["alg"]:
            raise refused
        return client, key

    async def _only_once(self, client: Client, claims: dict[str, Any]) -> None:
        now, expires_at = machine_now(), datetime.fromtimestamp(claims["exp"], UTC)
        if expires_at - now > ASSERTION_LIFETIME + LEEWAY:
            raise OAuthError("invalid_client", "the assertion lives longer than 5 minutes")
        jti = claims["jti"]
        async with self._database.transaction() as tx:
            first = await use_once(tx, client=client.id, jti=jti, expires_at=expires_at + LEEWAY, now=now)
        if not first:
            raise OAuthError("invalid_client", "this assertion was used before")


def _well_formed(assertion: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Read an assertion; raises OAuthError for what RFC 7519 or an index does not take."""
    try:
        sent = unverified.read(assertion, whole_seconds=True)
    except WrongClaims as error:
        raise OAuthError("invalid_request", f"the assertion is malformed: {error}") from None
    except NotAJwt:
        raise OAuthError("invalid_client", "the assertion was not signed with this client's key") from None
    if "jti" in sent.claims and (text := indexed_text.wrong(sent.claims["jti"])) is not None:
        raise OAuthError("invalid_request", f"the assertion is malformed: jti: {text}")
    return sent.header, sent.claims


def _within(client: Client, scope: str | None) -> list[str]:
    """Find the scopes of a token: all that the client has, or those of them that it asks for."""
    if scope is None or not scope.strip():
        return sorted(client.scopes)
    registered = Scopes.parse(client.scopes)
    try:
        granted = Scopes.parse(of_resources(scope.split())).granted_of(registered)
    except NotAScope as error:
        raise OAuthError("invalid_scope", str(error)) from None
    if not granted:
        raise OAuthError(
            "invalid_scope", f"this client is registered for none of these, but for {registered}"
        )
    return granted


def person_of(client: Client) -> str | None:
    """Name the person whom a client of clinic.yaml stands for (`fhirUser`), None where it is a system."""
    if client.practitioner is not None:
        return f"Practitioner/{client.practitioner}"
    return f"Person/{client.id}" if client.party in ("coordinator", "privacy-officer") else None
