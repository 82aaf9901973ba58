"""The addresses at which people sign in and out, and at which the portal asks who somebody is."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.auth.forms import read_form, read_query
from shared.auth.issuer import OAuthError
from shared.auth.people import browser, pages, texts
from shared.auth.people.accounts import DemoPerson
from shared.auth.people.authorization import (
    AuthorizationRefused,
    AuthorizationRequest,
    UnknownApplication,
    answer_url,
    read_request,
)
from shared.auth.people.browser import NotFromHere
from shared.auth.people.discovery import openid_configuration
from shared.auth.people.models import SignInMethod
from shared.auth.people.provider import PeopleProvider
from shared.auth.people.sign_out import end_session
from shared.auth.people.tokens import user_info
from shared.errors import Unauthenticated
from shared.http.errors import as_refusal, status_of
from shared.telemetry.logging import class_of, logger, place_of

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_STYLE = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff"}

Handler = Callable[[PeopleProvider, Request], Awaitable[Response]]


def people_routes(people: PeopleProvider) -> list[Route]:
    """Give the routes of the OpenID provider."""
    return [
        Route("/.well-known/openid-configuration", partial(_configuration, people), methods=["GET"]),
        Route("/auth/authorize", _guarded(people, _authorize), methods=["GET", "POST"]),
        Route("/auth/sign-in", _guarded(people, _sign_in_page), methods=["GET"]),
        Route("/auth/sign-in", _guarded(people, _sign_in), methods=["POST"]),
        Route("/auth/end-session", _guarded(people, end_session), methods=["GET", "POST"]),
        Route("/auth/userinfo", _guarded(people, _userinfo), methods=["GET", "POST"]),
        Route("/auth/session-status", _guarded(people, _session_status), methods=["POST"]),
        Route("/auth/demo-people", _guarded(people, _demo_people), methods=["GET"]),
        Route("/auth/style.css", _style, methods=["GET"]),
    ]


def _guarded(people: PeopleProvider, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Answer what a handler refuses or fails at with a page that says so."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(people, request)
        except AuthorizationRefused as error:
            told = {"error": error.code, "error_description": str(error)}
            url = answer_url(error.redirect_uri, issuer=people.base_url, state=error.state, **told)
            return browser.redirect(url)
        except UnknownApplication:
            return _problem(people, request, "unknown-application", status=400)
        except OAuthError:
            return _problem(people, request, "wrong-request", status=400)
        except NotFromHere:
            return _problem(people, request, "not-from-here", status=403)
        except Exception as error:
            return _failed(people, request, error)

    return answer


async def _configuration(people: PeopleProvider, _: Request) -> Response:
    return JSONResponse(openid_configuration(people))


async def _authorize(people: PeopleProvider, request: Request) -> Response:
    """Send a person to the page of the sign-in; a demo person whom a page of ours names is there at once."""
    by_form = request.method == "POST"
    asked = await read_form(request) if by_form else read_query(request)
    checked = read_request(asked, client=people.portal)
    person = people.demo_person(checked.login_hint, locale=_locale(request, checked))
    if person is not None and request.method != "HEAD" and browser.is_begun_here(request):
        return await _let_in_demo(people, request, checked, person)
    return browser.redirect(f"/auth/sign-in?{urlencode(asked)}")


async def _sign_in_page(people: PeopleProvider, request: Request) -> Response:
    if not request.scope["query_string"]:
        return browser.redirect(people.portal.post_logout_redirect_uri)
    asked = read_query(request)
    checked = read_request(asked, client=people.portal)
    locale, name = _locale(request, checked), browser.browser_of(request, base_url=people.base_url)
    action = f"/auth/sign-in?{urlencode(asked)}"
    found = people.demo_people(locale)
    body = (
        pages.demo_list(found, action=action, token=browser.form_token(name), locale=locale)
        if found
        else pages.paragraph(texts.PAGES[locale]["nobody"])
    )
    other = texts.FRENCH if locale == texts.ENGLISH else texts.ENGLISH
    html = pages.page(
        title=texts.PAGES[locale]["sign-in"],
        body=body,
        locale=locale,
        clinic=people.clinic.name,
        other_language=f"/auth/sign-in?{urlencode({**asked, 'ui_locales': other})}",
    )
    return browser.remember(browser.page_answer(html), name, base_url=people.base_url)


async def _sign_in(people: PeopleProvider, request: Request) -> Response:
    checked = read_request(read_query(request), client=people.portal)
    form = await read_form(request)
    browser.check_form(request, form, base_url=people.base_url)
    person = people.demo_person(form.get("person"), locale=_locale(request, checked))
    if person is None:
        return _problem(people, request, "nobody-chosen", status=400)
    return await _let_in_demo(people, request, checked, person)


async def _let_in_demo(
    people: PeopleProvider, request: Request, asked: AuthorizationRequest, person: DemoPerson
) -> Response:
    code = await people.sessions.begin(
        person.account(people.base_url),
        asked,
        method=SignInMethod.DEMO,
        locale=_locale(request, asked),
    )
    url = answer_url(asked.redirect_uri, issuer=people.base_url, state=asked.state, code=code)
    return browser.redirect(url)


async def _userinfo(people: PeopleProvider, request: Request) -> Response:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        principal = await people.verifier.principal(token.strip() if kind.lower() == "bearer" else "")
        session = await people.sessions.find(principal.session or "")
    except Unauthenticated:
        session = None
    if session is None:
        refused = {"error": "invalid_token", "error_description": "send the access token of a person"}
        challenge = {"WWW-Authenticate": 'Bearer realm="lumbar", error="invalid_token"'}
        return JSONResponse(refused, status_code=401, headers={**_NO_STORE, **challenge})
    client = people.clinic.client(session.client)
    return JSONResponse(user_info(session, client, issuer=people.base_url), headers=_NO_STORE)


async def _session_status(people: PeopleProvider, request: Request) -> Response:
    """Tell the services whether a session goes on; its id is random, and nothing else is told."""
    form = await read_form(request)
    live = await people.sessions.is_live(form.get("sid", ""))
    return JSONResponse({"live": live}, headers=_NO_STORE)


async def _demo_people(people: PeopleProvider, request: Request) -> Response:
    if not people.demo:
        return JSONResponse({"error": "no demo people here"}, status_code=404, headers=_NO_STORE)
    locale = texts.locale_of(request.query_params.get("ui_locales"), request.headers.get("accept-language"))
    found = [
        {"id": person.id, "name": person.name, "party": person.party}
        | ({"discipline": person.discipline} if person.discipline is not None else {})
        for person in people.demo_people(locale)
    ]
    return JSONResponse(found, headers={**_NO_STORE, "Content-Language": locale, "Vary": "Accept-Language"})


async def _style(_: Request) -> Response:
    return PlainTextResponse(pages.STYLE, media_type="text/css", headers=_STYLE)


def _locale(request: Request, asked: AuthorizationRequest) -> str:
    return texts.locale_of(asked.ui_locales, request.headers.get("accept-language"))


def _problem(people: PeopleProvider, request: Request, name: str, *, status: int) -> Response:
    locale = texts.locale_of(request.query_params.get("ui_locales"), request.headers.get("accept-language"))
    words = texts.PAGES[locale]
    body = pages.problem(words[name]) + pages.link(words["home"], to="/")
    html = pages.page(title=words["problem"], body=body, locale=locale, clinic=people.clinic.name)
    headers = {"Retry-After": "1"} if status == 503 else {}
    return browser.page_answer(html, status=status, headers=headers)


def _failed(people: PeopleProvider, request: Request, error: Exception) -> Response:
    refusal = as_refusal(error)
    status = status_of(refusal) if refusal is not None else 500
    logger().error("sign-in.failed", error=class_of(error), place=place_of(error), status=status)
    return _problem(people, request, "away" if status == 503 else "failed", status=status)
