"""Signing out: the session that an id token names is ended, for browsers and for the portal's server.

Invariant: nobody is sent to an address that is not the portal's own.
"""

from urllib.parse import urlencode

import jwt
from jwt.exceptions import PyJWTError
from starlette.requests import Request
from starlette.responses import Response

from shared.auth import unverified
from shared.auth.forms import read_form, read_query
from shared.auth.people import browser
from shared.auth.people.answers import done_answer
from shared.auth.people.models import EndReason
from shared.auth.people.provider import PeopleProvider
from shared.auth.unverified import NotAJwt


async def end_session(people: PeopleProvider, request: Request) -> Response:
    """End a session by its id token (OpenID Connect RP-Initiated Logout 1.0)."""
    asked = await read_form(request) if request.method == "POST" else read_query(request)
    session = session_of(people, asked.get("id_token_hint", ""))
    if session is None:
        return done_answer(people, request, "not-signed-out", status=400)
    if request.method != "HEAD":
        await people.sessions.end(session, reason=EndReason.SIGNED_OUT)
    back = people.portal.post_logout_redirect_uri
    if asked.get("post_logout_redirect_uri") == back:
        state = asked.get("state")
        return browser.redirect(back if state is None else f"{back}?{urlencode({'state': state})}")
    return done_answer(people, request, "signed-out")


def session_of(people: PeopleProvider, id_token: str) -> str | None:
    """Read the session from an id token of ours, which may have expired; None for anything else."""
    key = people.issuer.keys.issuer
    try:
        unverified.read(id_token)
        claims = jwt.decode(
            id_token,
            key.private.public_key(),
            algorithms=[key.algorithm],
            audience=people.portal.id,
            issuer=people.base_url,
            options={"require": ["sid"], "verify_exp": False},
        )
    except (NotAJwt, PyJWTError):
        return None
    return str(claims["sid"])
