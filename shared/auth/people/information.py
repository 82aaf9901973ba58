"""What the issuer says to the portal and to the services: about itself, a person, a session, demo people."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from shared.auth.forms import read_form
from shared.auth.people import pages
from shared.auth.people.answers import locale_of
from shared.auth.people.discovery import openid_configuration
from shared.auth.people.provider import PeopleProvider
from shared.auth.people.tokens import user_info
from shared.errors import Unauthenticated

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_STYLE = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lumbar", error="invalid_token"'}


async def configuration(people: PeopleProvider, _: Request) -> Response:
    """Say what is supported, and where."""
    return JSONResponse(openid_configuration(people))


async def userinfo(people: PeopleProvider, request: Request) -> Response:
    """Say whose access token this is."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        principal = await people.verifier.principal(token.strip() if kind.lower() == "bearer" else "")
        session = await people.sessions.find(principal.session or "")
    except Unauthenticated:
        session = None
    if session is None:
        refused = {"error": "invalid_token", "error_description": "send the access token of a person"}
        return JSONResponse(refused, status_code=401, headers={**_NO_STORE, **_CHALLENGE})
    client = people.clinic.client(session.client)
    return JSONResponse(user_info(session, client, issuer=people.base_url), headers=_NO_STORE)


async def session_status(people: PeopleProvider, request: Request) -> Response:
    """Tell the services whether a session goes on; its id is random, and nothing else is told."""
    form = await read_form(request)
    live = await people.sessions.is_live(form.get("sid", ""))
    return JSONResponse({"live": live}, headers=_NO_STORE)


async def demo_people(people: PeopleProvider, request: Request) -> Response:
    """List the demo people for the landing page."""
    if not people.demo:
        return JSONResponse({"error": "no demo people here"}, status_code=404, headers=_NO_STORE)
    locale = locale_of(request)
    found = [
        {"id": person.id, "name": person.name, "party": person.party}
        | ({"discipline": person.discipline} if person.discipline is not None else {})
        for person in people.demo_people(locale)
    ]
    return JSONResponse(found, headers={**_NO_STORE, "Content-Language": locale, "Vary": "Accept-Language"})


async def style(_: PeopleProvider, __: Request) -> Response:
    """Give the style of the pages."""
    return PlainTextResponse(pages.STYLE, media_type="text/css", headers=_STYLE)
