"""The page that an invitation leads to: opening it changes nothing, sending its form sets the password."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from shared.auth.forms import read_form, read_query
from shared.auth.people import browser, invitations, pages, texts
from shared.auth.people.answers import done_answer, locale_of, problem_answer
from shared.auth.people.invitations import INVITATION_PATH
from shared.auth.people.models import InvitedPerson
from shared.auth.people.passwords import flaw_of
from shared.auth.people.provider import PeopleProvider
from shared.clock import machine_now


async def show(people: PeopleProvider, request: Request) -> Response:
    """Show whose link it is."""
    secret = read_query(request).get("link", "")
    async with people.database.transaction() as tx:
        person = await invitations.open_link(tx, secret, at=machine_now())
    if person is None:
        return problem_answer(people, request, "link-over", status=410)
    return _page(people, request, person, secret)


async def take(people: PeopleProvider, request: Request) -> Response:
    """Set the password, once."""
    secret, form = read_query(request).get("link", ""), await read_form(request)
    browser.check_form(request, form, base_url=people.base_url)
    async with people.database.transaction() as tx:
        person = await invitations.open_link(tx, secret, at=machine_now())
    if person is None:
        return problem_answer(people, request, "link-over", status=410)
    password = form.get("password", "")
    flaw = flaw_of(password, login=person.login)
    if flaw is None and form.get("again") != password:
        flaw = "password-differs"
    if flaw is not None:
        return _page(people, request, person, secret, problem=flaw, status=400)
    kept = await people.passwords.make(password)
    async with people.database.transaction() as tx:
        accepted = await invitations.accept(tx, secret, password=kept, at=machine_now())
    if not accepted:
        return problem_answer(people, request, "link-over", status=410)
    return done_answer(people, request, "password-set")


def _page(
    people: PeopleProvider,
    request: Request,
    person: InvitedPerson,
    secret: str,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    locale = locale_of(request)
    words, name = texts.PAGES[locale], browser.browser_of(request, base_url=people.base_url)
    form = pages.new_password_form(
        person.login,
        action=f"{INVITATION_PATH}?{urlencode({'link': secret})}",
        token=browser.form_token(name),
        locale=locale,
    )
    other = texts.FRENCH if locale == texts.ENGLISH else texts.ENGLISH
    html = pages.page(
        title=words["choose-password"],
        body=(pages.problem(words[problem]) if problem is not None else "") + form,
        locale=locale,
        clinic=people.clinic.name,
        other_language=f"{INVITATION_PATH}?{urlencode({'link': secret, 'ui_locales': other})}",
    )
    answer = browser.page_answer(html, status=status)
    return browser.remember(answer, name, base_url=people.base_url)
