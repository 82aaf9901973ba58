"""The portal as a client of the clinic's issuer: code flow with PKCE, refreshes, the end of a session.

Invariants:
- Nobody is signed in without the `state` of this browser's own attempt, the `nonce` of it in the id token,
  and a signature of the issuer's keys over both.
- What was begun in one tab is finished in it, whatever another tab begins meanwhile: each attempt has its
  own cookie.
- Tokens never reach a browser.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
import msgspec

CLIENT = "portal"
SCOPE = "openid fhirUser"
ALGORITHMS = ("RS384", "ES384", "RS256", "ES256")


class SignInRefused(Exception):
    """The issuer, or what came back from it, does not let the person in; the text is a code."""


class SessionOver(Exception):
    """The issuer gives no new token: the session has ended there."""


class IssuerAway(Exception):
    """The issuer cannot be asked now."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to sign in, kept encrypted in a cookie of its own; `next` is where the person goes then."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def begin(cls, next: str) -> "Attempt":
        """Begin an attempt with fresh secrets."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state=state, nonce=nonce, verifier=verifier, next=next)

    @property
    def challenge(self) -> str:
        """The S256 challenge of the verifier (RFC 7636)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What the token endpoint gave, and the verified claims of its id token where it gave one."""

    tokens: Mapping[str, Any]
    claims: Mapping[str, Any]


class Issuer:
    """The issuer of the clinic's people, found by its own discovery document."""

    def __init__(self, http: httpx.AsyncClient, *, base_url: str) -> None:
        self._http = http
        self._base_url = base_url
        self._keys: jwt.PyJWKSet | None = None

    @property
    def callback(self) -> str:
        """The one address to which the issuer sends people back."""
        return f"{self._base_url}/callback"

    def authorize_url(self, attempt: Attempt, *, language: str, person: str | None) -> str:
        """Give the address at which a person signs in; `person` is a demo person who was picked."""
        asked = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": self.callback,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            "ui_locales": language,
            **({"login_hint": person} if person else {}),
        }
        return f"{self._base_url}/auth/authorize?{urlencode(asked)}"

    async def exchange(self, code: str, attempt: Attempt) -> Granted:
        """Exchange a code for tokens; raises SignInRefused and IssuerAway."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "client_id": CLIENT,
            "code_verifier": attempt.verifier,
        }
        answer = await self._post("/auth/token", form)
        if answer.status_code != 200:
            raise SignInRefused("code-refused")
        tokens = answer.json()
        return Granted(tokens=tokens, claims=await self._verified(tokens["id_token"], nonce=attempt.nonce))

    async def refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Get the next tokens; raises SessionOver and IssuerAway."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": CLIENT}
        answer = await self._post("/auth/token", form)
        if answer.status_code != 200:
            raise SessionOver
        given: Mapping[str, Any] = answer.json()
        return given

    async def end(self, id_token: str) -> None:
        """End the session at the issuer; raises IssuerAway where it could not be told."""
        await self._post("/auth/end-session", {"id_token_hint": id_token, "client_id": CLIENT})

    async def demo_people(self) -> list[Mapping[str, Any]]:
        """List the demo people, none where the clinic has none or cannot be asked."""
        try:
            answer = await self._asked("GET", "/auth/demo-people")
        except IssuerAway:
            return []
        people: list[Mapping[str, Any]] = answer.json() if answer.status_code == 200 else []
        return people

    async def _post(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        return await self._asked("POST", path, data=dict(form))

    async def _asked(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Ask the issuer; raises IssuerAway where it does not answer or has failed."""
        try:
            answer = await self._http.request(method, path, **parts)
        except httpx.HTTPError as error:
            raise IssuerAway from error
        if answer.status_code >= 500:
            raise IssuerAway
        return answer

    async def _verified(self, token: str, *, nonce: str) -> Mapping[str, Any]:
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=CLIENT,
                issuer=self._base_url,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
            )
        except jwt.PyJWTError as error:
            raise SignInRefused("id-token-refused") from error
        # PyJWT does not compare it.
        if not secrets.compare_digest(str(claims["nonce"]), nonce):
            raise SignInRefused("nonce-refused")
        return claims

    async def _key(self, kid: str | None) -> Any:
        for is_fresh in (False, True):
            if self._keys is None or is_fresh:
                self._keys = jwt.PyJWKSet.from_dict((await self._asked("GET", "/auth/jwks")).json())
            for known in self._keys.keys:
                if known.key_id == kid:
                    return known.key
        raise SignInRefused("key-unknown")
