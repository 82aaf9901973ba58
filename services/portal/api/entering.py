"""Coming and going: the landing page, signing in at the issuer, signing out, and what the browser remembers.

Invariants:
- Signing in begins by a GET and ends at the one callback; each attempt has a cookie of its own, used once.
- Signing out is a POST of this origin; it ends the session here first, then at the issuer.
"""

from functools import partial
from urllib.parse import urlencode

import msgspec
from cryptography.fernet import InvalidToken
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.portal.api.menus import home_of
from services.portal.api.portal import PREFERENCE_KEPT, Portal
from services.portal.api.security import safe_path
from services.portal.issuer import Attempt, IssuerAway, SignInRefused
from services.portal.sessions import SignedIn
from shared.http.origins import is_of_our_origin

_ATTEMPT_KEPT = 600
THEMES = ("auto", "light", "dark")


def entering_routes(portal: Portal) -> list[Route]:
    """Give the routes of coming and going."""
    return [
        Route("/", partial(_landing, portal), methods=["GET"]),
        Route("/sign-in", partial(_sign_in, portal), methods=["GET"]),
        Route("/callback", partial(_callback, portal), methods=["GET"]),
        Route("/sign-out", partial(_sign_out, portal), methods=["POST"]),
        Route("/preferences", partial(_preferences, portal), methods=["POST"]),
        Route("/session/extend", partial(_extend, portal), methods=["POST"]),
    ]


async def _landing(portal: Portal, request: Request) -> Response:
    """Show a newcomer the way in, and who is signed in their own first page."""
    person = await _person(portal, request)
    if person is not None:
        return RedirectResponse(home_of(person.party), status_code=303)
    people = await portal.issuer.demo_people()
    parties = list(dict.fromkeys(one["party"] for one in people))
    return portal.plain(request, "plain/landing.html", people=people, parties=parties)


async def _sign_in(portal: Portal, request: Request) -> Response:
    """Begin an attempt, and lead to the issuer."""
    attempt = Attempt.begin(safe_path(request.query_params.get("next")))
    language = portal.language_of(request).code
    person = request.query_params.get("person")
    response = RedirectResponse(
        portal.issuer.authorize_url(attempt, language=language, person=person), status_code=303
    )
    sealed = portal.runtime.secrets.encrypt(msgspec.json.encode(attempt)).decode()
    portal.cookies.set(response, _cookie_of(attempt.state), sealed, seconds=_ATTEMPT_KEPT)
    return response


async def _callback(portal: Portal, request: Request) -> Response:
    """Finish the attempt that this browser began."""
    state = request.query_params.get("state", "")
    attempt = _attempt(portal, request, state)
    try:
        if attempt is None or "code" not in request.query_params:
            raise SignInRefused(request.query_params.get("error", "state-unknown"))
        granted = await portal.issuer.exchange(request.query_params["code"], attempt)
    except SignInRefused as refused:
        return portal.plain(request, "plain/not_signed_in.html", status=403, reason=str(refused))
    except IssuerAway:
        return portal.plain(request, "plain/away.html", status=503)
    earlier = portal.cookies.read(request.cookies, "session")
    value = await portal.sessions.begin(granted)
    response = RedirectResponse(_next(attempt, granted.claims["party"]), status_code=303)
    portal.cookies.set(response, "session", value)
    portal.cookies.remove(response, _cookie_of(state))
    if earlier:
        await _end_quietly(portal, earlier)
    return response


async def _sign_out(portal: Portal, request: Request) -> Response:
    """End the session, and leave nothing of it in the browser."""
    if not is_of_our_origin(request.headers, base_url=portal.runtime.base_url):
        return portal.plain(request, "plain/not_from_here.html", status=403)
    await _end_quietly(portal, portal.cookies.read(request.cookies, "session"))
    response = RedirectResponse("/", status_code=303)
    portal.cookies.remove(response, "session")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def _preferences(portal: Portal, request: Request) -> Response:
    """Remember language, theme and whether single keys act, for this browser."""
    if not is_of_our_origin(request.headers, base_url=portal.runtime.base_url):
        return portal.plain(request, "plain/not_from_here.html", status=403)
    form = await request.form(max_files=0, max_fields=20)
    response = RedirectResponse(safe_path(str(form.get("next", "/"))), status_code=303)
    allowed = {"language": tuple(portal.runtime.languages), "theme": THEMES, "keys": ("on", "off")}
    for name, values in allowed.items():
        if form.get(name) in values:
            portal.cookies.set(response, name, str(form[name]), seconds=PREFERENCE_KEPT)
    return response


async def _extend(portal: Portal, request: Request) -> Response:
    """Prolong the session: the answer to the warning before its end."""
    if not is_of_our_origin(request.headers, base_url=portal.runtime.base_url):
        return portal.plain(request, "plain/not_from_here.html", status=403)
    form = await request.form(max_files=0, max_fields=20)
    try:
        person = await portal.sessions.extend(portal.cookies.read(request.cookies, "session"))
    except IssuerAway:
        return portal.plain(request, "plain/away.html", status=503)
    if "application/json" in request.headers.get("accept", ""):
        if person is None:
            return Response(status_code=401)
        return JSONResponse({"ends_at": person.ends_at.isoformat()})
    path = safe_path(str(form.get("next", "/")))
    onward = path if person is not None else f"/sign-in?{urlencode({'next': path})}"
    return RedirectResponse(onward, status_code=303)


async def _person(portal: Portal, request: Request) -> SignedIn | None:
    try:
        return await portal.sessions.find(portal.cookies.read(request.cookies, "session"), is_act=True)
    except IssuerAway:
        return None


async def _end_quietly(portal: Portal, value: str | None) -> None:
    """End a session; where the issuer is away its tokens are gone from here, and run out soon."""
    try:
        await portal.sessions.end(value)
    except IssuerAway:
        return


def _cookie_of(state: str) -> str:
    return f"attempt-{state[:12]}"


def _attempt(portal: Portal, request: Request, state: str) -> Attempt | None:
    sealed = portal.cookies.read(request.cookies, _cookie_of(state))
    if not sealed:
        return None
    try:
        opened = portal.runtime.secrets.decrypt(sealed.encode(), ttl=_ATTEMPT_KEPT)
        attempt = msgspec.json.decode(opened, type=Attempt)
    except (InvalidToken, msgspec.MsgspecError):
        return None
    return attempt if attempt.state == state else None


def _next(attempt: Attempt, party: str) -> str:
    return home_of(party) if attempt.next == "/" else attempt.next
