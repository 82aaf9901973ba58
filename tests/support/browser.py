"""A browser without a screen: it keeps cookies, follows redirects, reads pages, and sends their forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx

FROM_HERE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
Value = str | Sequence[str]


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and what its fields hold."""

    action: str
    method: str
    id: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, changed: Mapping[str, Value], button: str | None = None) -> list[tuple[str, str]]:
        """Give what is sent with these fields changed, and by a button of this name."""
        kept = [(name, value) for name, value in self.fields if name not in changed]
        typed = [
            (name, one)
            for name, value in changed.items()
            for one in ([value] if isinstance(value, str) else value)
        ]
        pressed = [one for one in self.buttons if one[0] == button][:1]
        return [*kept, *typed, *pressed]


class Seen:
    """A page that was answered: its status, its texts, links and forms."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.status = answer.status_code
        self.path = answer.url.raw_path.decode()
        self.html = answer.text
        self._read = _Reader()
        self._read.feed(answer.text)

    @property
    def text(self) -> str:
        """All that can be read on it, with single spaces."""
        return " ".join(" ".join(self._read.texts).split())

    @property
    def links(self) -> dict[str, str]:
        """The addresses of its links by their texts."""
        return {" ".join(text.split()): href for href, text in self._read.links}

    @property
    def forms(self) -> list[Form]:
        """Its forms, in their order."""
        return self._read.forms

    def form(self, id: str) -> Form:
        """Give a form by its id, or by the address to which it goes."""
        return next(one for one in self.forms if id in (one.id, one.action))

    def link_to(self, part: str) -> str:
        """Give the first address of a link that has this in it."""
        return next(href for href, _ in self._read.links if part in href)


class Browser:
    """One person's browser at a clinic."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        http.follow_redirects = True

    async def open(self, path: str, **headers: str) -> Seen:
        """Open an address."""
        return Seen(await self.http.get(path, headers={**FROM_HERE, **headers}))

    async def sign_in(self, person: str) -> Seen:
        """Sign in as a demo person, by the link of the landing page."""
        seen = await self.open(f"/sign-in?person={person}")
        assert seen.status == 200, seen.text
        return seen

    async def send(
        self,
        seen: Seen,
        form: Form,
        button: str | None = None,
        headers: Mapping[str, str] = {},
        **typed: Value,
    ) -> Seen:
        """Fill a form in and send it; a name with a dash is written with an underscore."""
        changed = {name.replace("_", "-"): value for name, value in typed.items()}
        address = urljoin(str(seen.answer.url), form.action)
        return await self.post(address, form.filled(changed, button), headers=headers)

    async def post(
        self, address: str, fields: Sequence[tuple[str, str]], *, headers: Mapping[str, str] = {}
    ) -> Seen:
        """Send fields as a form does."""
        data: dict[str, Any] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        return Seen(await self.http.post(address, data=data, headers={**FROM_HERE, **headers}))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._href: str | None = None
        self._said = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "a":
            self._href, self._said = given.get("href") or "", ""
        if tag == "form":
            self._form = Form(given.get("action") or "", given.get("method") or "get", given.get("id") or "")
            self.forms.append(self._form)
        self._field(tag, given)

    def _field(self, tag: str, given: Mapping[str, str | None]) -> None:
        form = next((one for one in self.forms if one.id == given.get("form")), self._form)
        name, value = given.get("name"), given.get("value") or ""
        if form is None or not name:
            if tag == "option" and form is not None and self._select and "selected" in given:
                form.fields.append((self._select, value))
            return
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area, self._said = name, ""
        elif tag == "button":
            form.buttons.append((name, value))
        elif tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            form.fields.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1
        if tag == "a" and self._href is not None:
            self.links.append((self._href, self._said))
            self._href = None
        if tag == "textarea" and self._area and self._form is not None:
            self._form.fields.append((self._area, self._said))
            self._area = None
        if tag == "select":
            self._select = None
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)
        self._said += data
