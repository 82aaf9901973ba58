"""The sign-in itself: the request of the portal, the page, and who comes back from its forms."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from shared.auth.forms import read_form, read_query
from shared.auth.people import browser, pages, texts
from shared.auth.people.accounts import Account
from shared.auth.people.answers import address_of, locale_of, problem_answer
from shared.auth.people.authorization import AuthorizationRequest, answer_url, read_request
from shared.auth.people.models import SignInMethod
from shared.auth.people.password_sign_in import TooManyAttempts
from shared.auth.people.passwords import WrongPassword
from shared.auth.people.provider import PeopleProvider

PATH = "/auth/sign-in"


async def authorize(people: PeopleProvider, request: Request) -> Response:
    """Send a person to the page of the sign-in; a demo person whom a page of ours names is there at once."""
    asked = await read_form(request) if request.method == "POST" else read_query(request)
    checked = read_request(asked, client=people.portal)
    person = people.demo_person(checked.login_hint, locale=locale_of(request, checked.ui_locales))
    if person is not None and request.method != "HEAD" and browser.is_begun_here(request):
        account = person.account(people.base_url)
        return await let_in(people, request, checked, account, method=SignInMethod.DEMO)
    return browser.redirect(f"{PATH}?{urlencode(asked)}")


async def show(people: PeopleProvider, request: Request) -> Response:
    """Show the page; its address is the request, so each tab has its own."""
    if not request.scope["query_string"]:
        return browser.redirect(people.portal.post_logout_redirect_uri)
    return _page(people, request, read_query(request))


async def take(people: PeopleProvider, request: Request) -> Response:
    """Take a form of the page: a demo person's button, or a login with its password."""
    asked = read_query(request)
    checked = read_request(asked, client=people.portal)
    form = await read_form(request)
    browser.check_form(request, form, base_url=people.base_url)
    if "login" in form:
        return await _take_password(people, request, asked, form)
    person = people.demo_person(form.get("person"), locale=locale_of(request, checked.ui_locales))
    if person is None:
        return problem_answer(people, request, "nobody-chosen", status=400)
    account = person.account(people.base_url)
    return await let_in(people, request, checked, account, method=SignInMethod.DEMO)


async def let_in(
    people: PeopleProvider,
    request: Request,
    asked: AuthorizationRequest,
    account: Account,
    *,
    method: SignInMethod,
) -> Response:
    """Begin a session for who has proved who they are, and send the browser back to the portal."""
    code = await people.sessions.begin(
        account,
        asked,
        method=method,
        locale=locale_of(request, asked.ui_locales),
        address=address_of(request),
    )
    url = answer_url(asked.redirect_uri, issuer=people.base_url, state=asked.state, code=code)
    return browser.redirect(url)


async def _take_password(
    people: PeopleProvider, request: Request, asked: dict[str, str], form: dict[str, str]
) -> Response:
    checked = read_request(asked, client=people.portal)
    try:
        account = await people.passwords.account(
            login=form["login"], password=form.get("password", ""), address=address_of(request)
        )
        return await let_in(people, request, checked, account, method=SignInMethod.PASSWORD)
    except WrongPassword:
        return _page(people, request, asked, problem="wrong-password", status=400)
    except TooManyAttempts as error:
        wait = {"Retry-After": str(error.seconds)}
        return _page(people, request, asked, problem="too-many", status=429, headers=wait)


def _page(
    people: PeopleProvider,
    request: Request,
    asked: dict[str, str],
    *,
    problem: str | None = None,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    checked = read_request(asked, client=people.portal)
    locale = locale_of(request, checked.ui_locales)
    words, name = texts.PAGES[locale], browser.browser_of(request, base_url=people.base_url)
    action, token = f"{PATH}?{urlencode(asked)}", browser.form_token(name)
    found = people.demo_people(locale)
    body = pages.problem(words[problem]) if problem is not None else ""
    if found:
        body += pages.demo_list(found, action=action, token=token, locale=locale)
    if people.clinic_issuer is not None:
        body += pages.link(words["at-clinic"], to=f"/auth/elsewhere?{urlencode(asked)}")
    form = pages.password_form(action=action, token=token, locale=locale)
    others = bool(found) or people.clinic_issuer is not None
    body += pages.folded_away(words["with-password"], form, is_open=problem is not None) if others else form
    other = texts.FRENCH if locale == texts.ENGLISH else texts.ENGLISH
    html = pages.page(
        title=words["sign-in"],
        body=body,
        locale=locale,
        clinic=people.clinic.name,
        other_language=f"{PATH}?{urlencode({**asked, 'ui_locales': other})}",
    )
    answer = browser.page_answer(html, status=status, headers=headers)
    return browser.remember(answer, name, base_url=people.base_url)
