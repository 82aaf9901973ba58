"""The clinic's own OpenID issuer: where its people are sent, and what its id tokens prove.

Invariants:
- The issuer is the one of clinic.yaml, by discovery, over https; no redirect is followed.
- An id token counts only with the issuer's signature, for us (`aud`, `azp`), now (`exp`, `iat`), and for the
  sign-in that was begun (`nonce`, which the JWT library does not look at).
- Who a person is, `iss` and `sub` say. No e-mail address and no name decides anything.
"""

import hashlib
import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import jwt
import msgspec
from jwt.exceptions import PyJWTError

from shared import indexed_text
from shared.auth import unverified
from shared.auth.unverified import NotAJwt
from shared.clinic import SignIn
from shared.clinic.sign_in import is_on_this_machine
from shared.clock import monotonic
from shared.errors import Unavailable

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_KEPT = 300.0
_LONGEST = 512 * 1024
_LEEWAY = 60
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]


class NotProved(Exception):
    """The issuer's answer does not prove who somebody is; the text is a few words of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What the issuer says of itself, and its keys by their ids."""

    authorization_endpoint: str
    token_endpoint: str
    by_post: bool
    keys: Mapping[str, jwt.PyJWK]
    read_at: float


class ClinicIssuer:
    """The way to the issuer; `secret` proves to it who we are, None where it knows us as a public client."""

    def __init__(self, sign_in: SignIn, *, secret: str | None, redirect_uri: str) -> None:
        self.issuer = sign_in.issuer
        self._sign_in = sign_in
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._discovered: Discovered | None = None

    async def authorization_url(self, *, state: str, nonce: str, verifier: str, locale: str) -> str:
        """Write the address to which a person is sent; raises Unavailable."""
        issuer = await self._discover()
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._sign_in.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self._sign_in.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "ui_locales": locale,
        }
        joint = "&" if "?" in issuer.authorization_endpoint else "?"
        return f"{issuer.authorization_endpoint}{joint}{urlencode(asked)}"

    async def claims(self, code: str, *, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Change a code for what it proves; raises NotProved or Unavailable."""
        issuer = await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        answer = await self._token(issuer, form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotProved("the answer holds no id token")
        return await self._verified(token, nonce=nonce)

    async def _token(self, issuer: Discovered, form: dict[str, str]) -> Mapping[str, Any]:
        client, headers = self._sign_in.client_id, {}
        if self._secret is None or issuer.by_post:
            form = {**form, "client_id": client}
            form |= {"client_secret": self._secret} if self._secret is not None else {}
        else:
            pair = f"{quote(client, safe='')}:{quote(self._secret, safe='')}".encode()
            headers = {"Authorization": f"Basic {b64encode(pair).decode()}"}
        return await _json("POST", issuer.token_endpoint, data=form, headers=headers)

    async def _verified(self, token: str, *, nonce: str) -> Mapping[str, Any]:
        key = await self._key(token)
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                audience=self._sign_in.client_id,
                issuer=self.issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED},
            )
        except PyJWTError as error:
            raise NotProved(type(error).__name__) from None
        self._check(claims, nonce=nonce)
        return claims

    def _check(self, claims: Mapping[str, Any], *, nonce: str) -> None:
        """Check what the JWT library does not."""
        given, client = claims["nonce"], self._sign_in.client_id
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise NotProved("the nonce is another one")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client) != client:
            raise NotProved("the token was issued to somebody else")
        if indexed_text.wrong(claims["sub"]) is not None:
            raise NotProved("the subject is no subject")

    async def _key(self, token: str) -> jwt.PyJWK:
        try:
            header = unverified.read(token).header
        except NotAJwt:
            raise NotProved("the id token cannot be read") from None
        kid = str(header.get("kid"))
        key = (await self._discover()).keys.get(kid) or (await self._discover(newer=True)).keys.get(kid)
        if key is None or key.algorithm_name != header.get("alg") or key.algorithm_name not in _ALGORITHMS:
            raise NotProved("the id token was signed with a key that the issuer does not have")
        return key

    async def _discover(self, *, newer: bool = False) -> Discovered:
        """Read what the issuer says of itself, kept for five minutes; raises Unavailable."""
        known = self._discovered
        if known is not None and not newer and monotonic() - known.read_at < _KEPT:
            return known
        told = await _json("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != self.issuer:
            raise Unavailable("the clinic's issuer calls itself otherwise")
        methods = told.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        keys = await _json("GET", _address(told, "jwks_uri"))
        self._discovered = Discovered(
            authorization_endpoint=_address(told, "authorization_endpoint"),
            token_endpoint=_address(told, "token_endpoint"),
            by_post="client_secret_basic" not in methods,
            keys=_keys(keys),
            read_at=monotonic(),
        )
        return self._discovered


def client_of(sign_in: SignIn, claims: Mapping[str, Any]) -> str | None:
    """Find as which client of clinic.yaml a person acts, None for somebody who has no part here."""
    for mapping in sign_in.people:
        if mapping.subject is not None:
            fits = claims["sub"] == mapping.subject
        else:
            given = claims.get(str(mapping.claim))
            fits = mapping.value in given if isinstance(given, list) else given == mapping.value
        if fits:
            return mapping.client
    return None


def _address(told: Mapping[str, Any], member: str) -> str:
    url = told.get(member)
    if not isinstance(url, str) or not (url.startswith("https://") or is_on_this_machine(url)):
        raise Unavailable(f"the clinic's issuer gives no https address as {member}")
    return url


def _keys(told: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    found = {}
    for member in told.get("keys", ()):
        try:
            key = jwt.PyJWK.from_dict(member)
        except (PyJWTError, ValueError, TypeError, AttributeError):
            continue
        if key.public_key_use in (None, "sig") and key.key_id is not None and member.get("kty") != "oct":
            found[key.key_id] = key
    return found


async def _json(
    method: str, url: str, *, data: dict[str, str] | None = None, headers: dict[str, str] | None = None
) -> Mapping[str, Any]:
    """Read a JSON object; raises Unavailable, or NotProved where the issuer refuses a code."""
    content = b""
    try:
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, follow_redirects=False) as http,
            http.stream(
                method, url, data=data, headers={"Accept": "application/json", **(headers or {})}
            ) as answer,
        ):
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > _LONGEST:
                    raise Unavailable("the clinic's issuer answers too much")
            if data is not None and answer.status_code in (400, 401, 403):
                raise NotProved("the issuer refuses the code")
            answer.raise_for_status()
        told = msgspec.json.decode(content)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, UnicodeError) as error:
        raise Unavailable("the clinic's issuer does not answer at the moment") from error
    if not isinstance(told, dict):
        raise Unavailable("the clinic's issuer answers no JSON object")
    return told
