"""Pages that say what went wrong, or that something is done, in the reader's language."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from shared.auth.people import browser, pages, texts
from shared.auth.people.provider import PeopleProvider
from shared.http.errors import as_refusal, status_of
from shared.telemetry.logging import class_of, logger, place_of


def locale_of(request: Request, ui_locales: str | None = None) -> str:
    """Choose the language of an answer."""
    asked = ui_locales or request.query_params.get("ui_locales")
    return texts.locale_of(asked, request.headers.get("accept-language"))


def address_of(request: Request) -> str:
    """Tell from where a request came."""
    return request.client.host if request.client is not None else "unknown"


def problem_answer(
    people: PeopleProvider,
    request: Request,
    name: str,
    *,
    status: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a page that says what went wrong."""
    locale = locale_of(request)
    words = texts.PAGES[locale]
    body = pages.problem(words[name]) + pages.link(words["home"], to="/")
    html = pages.page(title=words["problem"], body=body, locale=locale, clinic=people.clinic.name)
    return browser.page_answer(html, status=status, headers=headers)


def done_answer(people: PeopleProvider, request: Request, name: str, *, status: int = 200) -> Response:
    """Answer with a page that says one thing and leads to the start page."""
    locale = locale_of(request)
    words = texts.PAGES[locale]
    body = pages.link(words["home"], to="/")
    html = pages.page(title=words[name], body=body, locale=locale, clinic=people.clinic.name)
    return browser.page_answer(html, status=status)


def failed_answer(people: PeopleProvider, request: Request, error: Exception) -> Response:
    """Answer what nobody expected, or that the database is away; the log gets class and place alone."""
    refusal = as_refusal(error)
    status = status_of(refusal) if refusal is not None else 500
    logger().error("sign-in.failed", error=class_of(error), place=place_of(error), status=status)
    away = status == 503
    headers = {"Retry-After": "1"} if away else {}
    return problem_answer(people, request, "away" if away else "failed", status=status, headers=headers)
