"""The request of an application that sends a person to sign in: read, and refused where it is not exact.

Invariants:
- Nobody is sent anywhere before the application and its redirect_uri are known, both exactly.
- Only the code flow with PKCE by S256 is given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

PORTAL = "portal"

_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")
# VSCHAR of RFC 6749; what is longer than this is no state of ours.
_OPAQUE = re.compile(r"^[\x20-\x7e]{1,1024}$")


class UnknownApplication(Exception):
    """The request names no application of ours, or another address than its own: nobody is sent back."""


class AuthorizationRefused(Exception):
    """The request is refused; the browser goes back to the application with an OAuth 2.0 error."""

    def __init__(self, code: str, text: str, *, redirect_uri: str, state: str | None) -> None:
        super().__init__(text)
        self.code = code
        self.redirect_uri = redirect_uri
        self.state = state


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicClient:
    """A registered application without a secret of its own, and the only addresses of it that count."""

    id: str
    redirect_uri: str
    post_logout_redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What an application has asked for, checked."""

    application: str
    redirect_uri: str
    scope: str
    code_challenge: str
    state: str | None
    nonce: str | None
    login_hint: str | None
    ui_locales: str | None


def portal(base_url: str) -> PublicClient:
    """Return the clinic's own portal, the one public client that is registered."""
    return PublicClient(
        id=PORTAL, redirect_uri=f"{base_url}/callback", post_logout_redirect_uri=f"{base_url}/"
    )


def read_request(asked: Mapping[str, str], *, client: PublicClient) -> AuthorizationRequest:
    """Check a request; raises UnknownApplication or AuthorizationRefused."""
    if asked.get("client_id") != client.id:
        raise UnknownApplication("client_id names no application that is registered here")
    if asked.get("redirect_uri") != client.redirect_uri:
        raise UnknownApplication("redirect_uri is not the one that is registered for this application")
    state = asked.get("state")
    if (flaw := _flaw(asked)) is not None:
        given_back = state if state is not None and _OPAQUE.match(state) else None
        raise AuthorizationRefused(*flaw, redirect_uri=client.redirect_uri, state=given_back)
    return AuthorizationRequest(
        application=client.id,
        redirect_uri=client.redirect_uri,
        scope=asked["scope"],
        code_challenge=asked["code_challenge"],
        state=state,
        nonce=asked.get("nonce"),
        login_hint=asked.get("login_hint"),
        ui_locales=asked.get("ui_locales"),
    )


def _flaw(asked: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the first thing that is wrong, as an OAuth 2.0 error with its description."""
    if "request" in asked:
        return "request_not_supported", "parameters are sent one by one"
    if "request_uri" in asked:
        return "request_uri_not_supported", "parameters are sent one by one"
    if asked.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code"
    if asked.get("response_mode", "query") != "query":
        return "invalid_request", "response_mode must be query"
    if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.match(asked.get("code_challenge", "")):
        return "invalid_request", "code_challenge with code_challenge_method S256 is needed (PKCE)"
    for name in ("state", "nonce"):
        if name in asked and not _OPAQUE.match(asked[name]):
            return "invalid_request", f"{name} must be 1 to 1024 printable ASCII characters"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope", "scope must hold openid"
    if "none" in asked.get("prompt", "").split():
        return "login_required", "nobody is signed in here without being asked"
    return None


def answer_url(redirect_uri: str, *, issuer: str, state: str | None, **answer: str) -> str:
    """Write the address to which the browser goes back; `iss` says who answers (RFC 9207)."""
    told = {**answer, **({"state": state} if state is not None else {}), "iss": issuer}
    return f"{redirect_uri}?{urlencode(told)}"
