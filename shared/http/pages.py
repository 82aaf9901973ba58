"""Searchset and history Bundles made of stored bytes: nothing that did not change is dumped again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import ColumnElement, false
from starlette.datastructures import QueryParams
from starlette.responses import Response

from shared.auth.principal import Principal
from shared.errors import Malformed, Problem
from shared.fhir import search as fhir_search
from shared.fhir import search_includes, search_query, search_values
from shared.fhir.references import is_ours, parse
from shared.fhir.search import Include, Params, Reverse
from shared.fhir.subsets import Subset
from shared.http.errors import outcome
from shared.http.preferences import Preferences
from shared.http.request_context import RequestContext
from shared.runtime import Runtime
from shared.urls import Urls

_PATIENT_PARAMS = ("patient", "subject", "for", "beneficiary")


class SearchRequest(Protocol):
    """What a search needs to know of its request."""

    @property
    def query(self) -> QueryParams: ...

    @property
    def body(self) -> bytes: ...

    @property
    def prefers(self) -> Preferences: ...

    @property
    def runtime(self) -> Runtime: ...


async def answer(
    request: RequestContext,
    *,
    resource_type: str,
    model: Any,
    visible: Callable[[Principal], ColumnElement[bool]],
    params: Params,
    includes: Mapping[str, Include],
    reverses: Mapping[str, Reverse],
    elsewhere: Mapping[str, str],
) -> Response:
    """Search inside the caller's row scope and answer one page as a searchset."""
    asked = parameters_of(request)
    search = search_query.parse(
        asked,
        params,
        resource_type=resource_type,
        includes=includes,
        reverses=reverses,
        elsewhere={name: _where(request, name, service) for name, service in elsewhere.items()},
        urls=request.ctx.urls,
        lenient=request.prefers.lenient,
    )
    async with request.transaction() as tx:
        page = await fhir_search.run(tx, search, model, visible(request.principal))
        added = await search_includes.included(
            tx,
            search,
            page.rows,
            includes,
            reverses=reverses,
            of=model,
            visible=lambda kind, rule: _includable(request, kind, rule),
        )
        base = request.runtime.fhir_base
        cut, address = search.subset, f"{base}/{resource_type}"
        entries = [_entry(f"{address}/{row.fhir_id}", cut.cut(row.body), mode="match") for row in page.rows]
        # `_elements` names those of the matches (R4 search.html 3.1.1.5.9); a summary is one of everything.
        of_included = Subset(summary=cut.summary)
        entries += [
            _entry(f"{base}/{kind}/{row.fhir_id}", of_included.cut(row.body), mode="include")
            for kind, row in added.rows
        ]
        entries += noted([*search.notes, *map(_not_all, added.cut)])
        links = _links(request, address, asked, page.next, params=params)
        content = bundle("searchset", entries, links=links, total=page.total)
        found = [*page.rows, *(row for _, row in added.rows)]
        return await request.answer(
            tx, content, patient=patient_asked(asked, urls=request.ctx.urls), rows=found, how="search-type"
        )


def noted(notes: Sequence[Problem]) -> list[dict[str, Any]]:
    """Write what was ignored as the entry of an OperationOutcome; nothing where nothing was."""
    return [{"resource": outcome(notes), "search": {"mode": "outcome"}}] if notes else []


def _not_all(name: str) -> Problem:
    text = f"of {name} there are more than {search_includes.MAX_REVERSE}: search for them"
    return Problem(text=text, code="too-costly", expression="_revinclude", severity="warning")


def _where(request: RequestContext, name: str, service: str) -> str:
    resource_type, _, param = name.partition(":")
    address = f"{request.ctx.urls.fhir_of(service)}/{resource_type}?{param}=..."
    return f"it is another service's: {address}"


def history_bundle(
    reference: str,
    address: str,
    versions: Sequence[tuple[int, bytes]] | Sequence[Any],
    *,
    links: Sequence[tuple[str, str]],
    total: int,
) -> bytes:
    """Write versions of one resource, newest first, as a page of its history; there are `total` in all."""
    entries = [
        {
            "fullUrl": address,
            "resource": msgspec.Raw(bytes(body)),
            "request": {
                "method": "POST" if number == 1 else "PUT",
                "url": reference.partition("/")[0] if number == 1 else reference,
            },
            "response": {"status": "201" if number == 1 else "200", "etag": f'W/"{number}"'},
        }
        for number, body in versions
    ]
    return bundle("history", entries, links=links, total=total)


def parameters_of(request: SearchRequest) -> list[tuple[str, str]]:
    """Read the parameters of a search, from the address and from a form."""
    asked = request.query.multi_items()
    if request.body:
        try:
            asked += parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Malformed("the body is no list of search parameters") from None
    return asked


def _includable(request: RequestContext, resource_type: str, rule: Any) -> ColumnElement[bool]:
    """An include widens neither the rows nor the scopes: without the scope to read, nothing is included."""
    allowed = request.principal.scopes.allow(resource_type, "r")
    visible: ColumnElement[bool] = rule(request.principal) if allowed else false()
    return visible


def _entry(address: str, body: bytes, *, mode: str) -> dict[str, Any]:
    return {"fullUrl": address, "resource": msgspec.Raw(body), "search": {"mode": mode}}


def _links(
    request: RequestContext,
    address: str,
    asked: Sequence[tuple[str, str]],
    after: str | None,
    *,
    params: Params,
) -> list[tuple[str, str]]:
    """Link a page; a form that names a person is in no link: it is posted again to that of the next page."""
    secret = {name for name, param in params.items() if param.names_a_person}
    said = [name.partition(":")[0] for name, _ in asked[len(request.query.multi_items()) :]]
    if secret.isdisjoint(said):
        return paging_links(address, asked, after)
    return paging_links(f"{address}/_search", request.query.multi_items(), after)


def paging_links(address: str, asked: Sequence[tuple[str, str]], after: str | None) -> list[tuple[str, str]]:
    """Link a page to itself and, where `after` is the last on it, to the next one."""
    links = [("self", _link(address, asked))]
    if after is not None:
        kept = [(name, value) for name, value in asked if name != "_after"]
        links.append(("next", _link(address, [*kept, ("_after", after)])))
    return links


def _link(address: str, asked: Sequence[tuple[str, str]]) -> str:
    return f"{address}?{urlencode(asked)}" if asked else address


def bundle(
    kind: str, entries: Sequence[Mapping[str, Any]], *, links: Sequence[tuple[str, str]], total: int | None
) -> bytes:
    """Write entries as a Bundle of this type."""
    found: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": kind,
        "link": [{"relation": relation, "url": url} for relation, url in links],
    }
    if total is not None:
        found["total"] = total
    if entries:
        found["entry"] = entries
    return msgspec.json.encode(found)


def patient_asked(asked: Sequence[tuple[str, str]], *, urls: Urls) -> str | None:
    """Name the one patient that a search asks for, who may have nothing to be found."""
    named = {
        patient.rpartition("/")[2]
        for name, value in asked
        if name.partition(":")[0] in _PATIENT_PARAMS
        for patient in search_values.split(value)
        if is_ours(parse(patient), urls)
    }
    return named.pop() if len(named) == 1 and search_values.is_id(min(named)) else None
