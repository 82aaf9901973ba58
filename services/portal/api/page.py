"""One request of a person for a page: who it is, in which language, by which calls; and its routes.

Invariants:
- No page is made for nobody: without a session the person is led to sign in, and comes back to the page; what
  was typed is kept for whoever typed it.
- A POST acts once: it carries the token of the session and a key that makes a repeat the same act.
- A POST that carries `language` changes the language and nothing else: what was typed stands in the form.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any, Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.portal import labels
from services.portal.acts import Wrong
from services.portal.api.menus import MENUS, entry_of
from services.portal.api.portal import PREFERENCE_KEPT, Portal
from services.portal.api.security import form_token, is_form_token, safe_path
from services.portal.calls import Answer, Calls, NotThere, Problem, ServiceAway, SignedOut
from services.portal.issuer import IssuerAway
from services.portal.languages import Language
from services.portal.reasons import Sentences
from services.portal.sessions import SignedIn
from services.portal.typed import Typed, first
from shared.fhir.search_values import is_id
from shared.http.origins import is_of_our_origin
from shared.ids import new_text_id

# What a form carries beside what a person typed.
CARRIED = frozenset({"csrf", "once", "language", "version"})


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page in the making."""

    request: Request
    portal: Portal
    language: Language
    person: SignedIn
    calls: Calls
    now: datetime
    zone: tzinfo
    typed: Typed = field(default_factory=dict)
    once: str = field(default_factory=new_text_id)
    is_restored: bool = False
    wrong: Sequence[Wrong] = ()
    problems: Sequence[Problem] = ()

    @property
    def today(self) -> date:
        """The day on the wall clock of the site."""
        return self.now.astimezone(self.zone).date()

    @property
    def day(self) -> date:
        """The day that the address names (`?day=2026-03-02`); today where that is none."""
        try:
            return datetime.fromisoformat(self.query.get("day", "")).date()
        except ValueError:
            return self.today

    @property
    def sentences(self) -> Sentences:
        """The sentences of reasons."""
        return self.portal.sentences

    @property
    def path(self) -> str:
        """The path of the page, without its query."""
        return self.request.url.path

    @property
    def query(self) -> Mapping[str, str]:
        """What stands in the address behind the question mark."""
        return self.request.query_params

    def param(self, name: str) -> str:
        """Give a part of the path."""
        return str(self.request.path_params[name])

    def value(self, name: str, otherwise: str = "") -> str:
        """Give what was typed into a field."""
        return next(iter(self.typed.get(name, ())), otherwise)

    def values(self, name: str) -> Sequence[str]:
        """Give everything that was chosen in a field."""
        return self.typed.get(name, ())

    def refused(self, answer: Answer) -> "Page":
        """Give the page with what a service said against the act."""
        return replace(self, problems=answer.problems or [_away()])

    def with_wrong(self, wrong: Sequence[Wrong]) -> "Page":
        """Give the page with what was typed wrong."""
        return replace(self, wrong=wrong)

    def wrong_at(self, name: str) -> str:
        """Say what is wrong with a field, in the reader's language."""
        return next((self.language.say(one.text) for one in self.wrong if one.name == name), "")

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Make the page."""
        entry = entry_of(self.person.party, self.path)
        html = self.portal.environments[self.language.code].get_template(template)
        made = html.render(
            page=self,
            person=self.person,
            menu=MENUS[self.person.party],
            here=None if entry is None else entry.path,
            csrf=form_token(self.person.key),
            theme=self.portal.cookies.read(self.request.cookies, "theme") or "auto",
            keys_off=self.portal.cookies.read(self.request.cookies, "keys") == "off",
            clinic=self.portal.runtime.clinic,
            **context,
        )
        return Response(made, status_code=status, media_type="text/html")

    def go(self, path: str, *, done: str | None = None) -> Response:
        """Lead on after an act; `done` names the act that the next page confirms."""
        bare, hash_, place = path.partition("#")
        if done:
            bare += ("&" if "?" in bare else "?") + urlencode({"done": done})
        return RedirectResponse(f"{bare}{hash_}{place}", status_code=303)


class Handler(Protocol):
    """What makes a page, or acts and answers."""

    def __call__(self, page: Page, /) -> Awaitable[Response]: ...


def page(path: str, show: Handler, *, parties: Sequence[str]) -> Callable[[Portal], Route]:
    """Give the route of a page that only shows."""
    return lambda portal: Route(path, _endpoint(portal, show, None, parties), methods=["GET"])


def form_page(
    path: str, show: Handler, send: Handler, *, parties: Sequence[str]
) -> Callable[[Portal], Route]:
    """Give the route of a page with a form: `show` makes it, `send` does what it asks."""
    return lambda portal: Route(path, _endpoint(portal, show, send, parties), methods=["GET", "POST"])


def _endpoint(
    portal: Portal, show: Handler, send: Handler | None, parties: Sequence[str]
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        cookie = portal.cookies.read(request.cookies, "session")
        typed = await _typed(request) if request.method == "POST" else {}
        try:
            person = await portal.sessions.find(cookie, is_act=True)
            if person is None:
                return await _signed_out(portal, request, cookie, typed)
            made = await _page(portal, request, person, typed, has_form=send is not None)
            if person.party not in parties:
                return made.render("pages/refused.html", status=403)
            return await _answered(made, show, send)
        except IssuerAway:
            return portal.plain(request, "plain/away.html", status=503)
        except SignedOut:
            return await _signed_out(portal, request, cookie, typed)

    return answer


async def _answered(made: Page, show: Handler, send: Handler | None) -> Response:
    request, portal = made.request, made.portal
    try:
        if request.method != "POST" or send is None:
            return await show(made)
        sent = made.value("csrf")
        is_ours = is_of_our_origin(request.headers, base_url=portal.runtime.base_url)
        if not is_ours or not is_form_token(sent, made.person.key):
            return made.render("pages/not_from_here.html", status=403)
        if made.value("language") in portal.runtime.languages:
            response = await show(made)
            portal.cookies.set(response, "language", made.language.code, seconds=PREFERENCE_KEPT)
            return response
        return await send(made)
    except NotThere:
        return made.render("pages/not_there.html", status=404)
    except ServiceAway:
        if request.method == "POST":
            await portal.sessions.keep_draft(made.person, path=made.path, fields=words_of(made.typed))
        return made.render("pages/away.html", status=503)


async def _page(portal: Portal, request: Request, person: SignedIn, typed: Typed, *, has_form: bool) -> Page:
    language = portal.language_of(request, wanted=first(typed, "language"))
    calls = Calls(portal.runtime.http, token=person.token, language=language.code)
    await portal.sentences.refresh(calls)
    kept: Mapping[str, Any] = {}
    once = first(typed, "once")
    if has_form and request.method == "GET":
        kept = await portal.sessions.draft(person, path=request.url.path)
    return Page(
        request=request,
        portal=portal,
        language=language,
        person=person,
        calls=calls,
        now=portal.runtime.clock.now(),
        zone=portal.zone_of(person),
        typed=typed or kept,
        is_restored=bool(kept),
        once=once if is_id(once) else new_text_id(),
    )


def words_of(typed: Typed) -> dict[str, list[str]]:
    """Give what is kept of a form: everything that a person typed or chose, and no more."""
    return {name: list(values) for name, values in typed.items() if name not in CARRIED and any(values)}


async def _typed(request: Request) -> Typed:
    form = await request.form(max_files=0, max_fields=500)
    return {name: [str(value) for value in form.getlist(name)] for name in form}


async def _signed_out(portal: Portal, request: Request, cookie: str | None, typed: Typed) -> Response:
    words = words_of(typed)
    if words:
        await portal.sessions.keep_words(cookie, path=request.url.path, fields=words)
    if request.headers.get("sec-fetch-mode") == "cors":
        return Response(status_code=401)
    back = request.url.path + (f"?{request.url.query}" if request.url.query and not words else "")
    response = RedirectResponse(f"/sign-in?{urlencode({'next': safe_path(back)})}", status_code=303)
    portal.cookies.remove(response, "session")
    return response


def _away() -> Problem:
    return Problem(text=labels.AWAY, details={}, expression="")
