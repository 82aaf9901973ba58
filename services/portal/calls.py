"""Calls to the services with a person's own token: what a page shows is what that person may see.

Invariants:
- A page makes a handful of calls side by side; one that fails leaves the others standing.
- What cannot be read is `None`, never empty: a page says "cannot be read now", never 0.
- No name of a patient stands in an address: what people search by goes in a form (`POST .../_search`).
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

_WITHIN = httpx.Timeout(10.0)


class SignedOut(Exception):
    """A service does not take the token: the session has ended."""


class NotThere(Exception):
    """What a page is about is not there, or not this person's to see."""


class ServiceAway(Exception):
    """What a page is about cannot be read now, so there is no page to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered; `status` is 0 where it could not be asked, `file` what is no JSON."""

    status: int
    body: Any = None
    etag: str | None = None
    file: bytes | None = None

    @property
    def is_good(self) -> bool:
        """Whether the service did what was asked."""
        return 200 <= self.status < 300

    @property
    def is_away(self) -> bool:
        """Whether the service is away or failed, so that trying again may help."""
        return self.status == 0 or self.status >= 500 or self.status == 429

    @property
    def problems(self) -> list["Problem"]:
        """What was wrong, from an OperationOutcome."""
        issues = self.body.get("issue", []) if isinstance(self.body, dict) else []
        return [Problem.of(issue) for issue in issues]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One issue of a refusal: its words, its reason's concept, and the element that it is about."""

    text: str
    details: Mapping[str, Any]
    expression: str

    @classmethod
    def of(cls, issue: Mapping[str, Any]) -> "Problem":
        """Read an issue of an OperationOutcome."""
        details = issue.get("details", {})
        text = details.get("text") or issue.get("diagnostics") or issue.get("code", "")
        return cls(text=text, details=details, expression=next(iter(issue.get("expression", ())), ""))


class Calls:
    """The calls of one page, for one person."""

    def __init__(self, http: httpx.AsyncClient, *, token: str, language: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}

    async def get(self, path: str, **asked: Any) -> Answer:
        """Read; a name with a dash is written with an underscore, an underscore in front stays."""
        return await self._send("GET", path, params=_query(asked))

    async def must_get(self, path: str, **asked: Any) -> Answer:
        """Read what a page is about, which then has a body; raises NotThere and ServiceAway."""
        answer = await self.listed(path, **asked)
        if not answer.is_good:
            raise ServiceAway(path)
        return answer

    async def listed(self, path: str, **asked: Any) -> Answer:
        """Read what a page lists; where that cannot be read the page stands. Raises NotThere."""
        answer = await self.get(path, **asked)
        if answer.status in (400, 403, 404, 410, 422):
            raise NotThere(path)
        return answer

    async def search(self, path: str, **asked: Any) -> Answer:
        """Search by what must not stand in an address."""
        form: dict[str, list[Any]] = {}
        for name, value in _query(asked):
            form.setdefault(name, []).append(value)
        return await self._send("POST", f"{path}/_search", data=form)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        version: str | None = None,
    ) -> Answer:
        """Change something; `key` makes a repeat the same act, `version` is what was seen (an ETag)."""
        headers = {
            "Content-Type": "application/fhir+json",
            **({"Idempotency-Key": key} if key else {}),
            **({"If-Match": version} if version else {}),
        }
        return await self._send(method, path, headers=headers, json=body)

    async def _send(self, method: str, path: str, *, headers: Mapping[str, str] = {}, **parts: Any) -> Answer:
        sent = {**self._headers, **headers}
        parts = {name: part for name, part in parts.items() if part is not None}
        try:
            answer = await self._http.request(method, path, headers=sent, timeout=_WITHIN, **parts)
        except httpx.HTTPError:
            return Answer(status=0)
        if answer.status_code == 401:
            raise SignedOut
        is_json = "json" in answer.headers.get("content-type", "")
        body = answer.json() if is_json and answer.content else None
        return Answer(status=answer.status_code, body=body, etag=answer.headers.get("etag"))


async def post_openly(http: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> Answer:
    """Call what needs no token: the body itself says what opens it."""
    try:
        answer = await http.post(path, json=body, timeout=_WITHIN)
    except httpx.HTTPError:
        return Answer(status=0)
    if "json" in answer.headers.get("content-type", ""):
        return Answer(status=answer.status_code, body=answer.json())
    return Answer(status=answer.status_code, file=answer.content)


async def together(**calls: Any) -> dict[str, Answer]:
    """Make calls side by side and give their answers by name."""
    answers = await asyncio.gather(*calls.values())
    return dict(zip(calls, answers, strict=True))


def resources(answer: Answer, resource_type: str | None = None) -> list[dict[str, Any]] | None:
    """List the resources of a searchset, None where it cannot be read."""
    if not answer.is_good:
        return None
    return [found for found in _entries(answer.body) if resource_type in (None, found["resourceType"])]


def _entries(bundle: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in bundle.get("entry", ()):
        if "resource" in entry:
            yield entry["resource"]


def _query(asked: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Write parameters; several values of one stand side by side, None is left out."""
    written: list[tuple[str, Any]] = []
    for name, value in asked.items():
        parameter = name[0] + name[1:].replace("_", "-")
        values = value if isinstance(value, list | tuple) else (value,)
        written += [(parameter, one) for one in values if one is not None]
    return written


def next_of(answer: Answer) -> str | None:
    """Give the cursor of the next page of a searchset, None on its last page."""
    links = answer.body.get("link", ()) if answer.is_good else ()
    onward = next((link["url"] for link in links if link["relation"] == "next"), "")
    return next(iter(parse_qs(urlsplit(onward).query).get("_after", ())), None)


def by_id(answer: Answer, resource_type: str) -> dict[str, dict[str, Any]]:
    """Give the resources of one type of a searchset by their ids; nothing where it cannot be read."""
    return {found["id"]: found for found in resources(answer, resource_type) or ()}
