"""Searchset and history Bundles made of stored bytes: nothing that did not change is dumped again."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from sqlalchemy import ColumnElement, false
from starlette.responses import Response

from shared.auth.principal import Principal
from shared.db.models import StoredResource
from shared.errors import Malformed
from shared.fhir import search as fhir_search
from shared.fhir import search_values
from shared.fhir.search import Include, Params
from shared.http.request_context import RequestContext, query_of

_PATIENT_PARAMS = ("patient", "subject", "for", "beneficiary")


async def answer(
    request: RequestContext,
    *,
    resource_type: str,
    model: Any,
    visible: Callable[[Principal], ColumnElement[bool]],
    params: Params,
    includes: Mapping[str, Include],
) -> Response:
    """Search inside the caller's row scope and answer one page as a searchset."""
    asked = parameters_of(request)
    search = fhir_search.parse(asked, params, includes=includes)
    async with request.transaction() as tx:
        page = await fhir_search.run(tx, search, model, visible(request.principal))
        added = await fhir_search.included(
            tx,
            search,
            page.rows,
            includes,
            of=model,
            visible=lambda include: _includable(request, include),
        )
        found = [(resource_type, row) for row in page.rows] + added
        base = request.runtime.fhir_base
        entries = [_entry(f"{base}/{resource_type}/{row.id}", row, mode="match") for row in page.rows]
        entries += [_entry(f"{base}/{kind}/{row.id}", row, mode="include") for kind, row in added]
        links = paging_links(f"{base}/{resource_type}", asked, page.next)
        content = bundle("searchset", entries, links=links, total=page.total)
        return await request.answer(
            tx, content, patient=patient_asked(asked), rows=[row for _, row in found], how="search-type"
        )


def history_bundle(
    link: str, reference: str, address: str, versions: Sequence[tuple[int, bytes]] | Sequence[Any]
) -> bytes:
    """Write the versions of one resource, newest first, as a history Bundle."""
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
    return bundle("history", entries, links=[("self", link)], total=len(entries))


def computed(request: RequestContext, found: Sequence[Mapping[str, Any]]) -> bytes:
    """Write all resources that were computed for a search as a searchset."""
    base = request.runtime.fhir_base
    entries = [
        {
            "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for resource in found
    ]
    address = query_of(request.http, b"").decode("utf-8", "replace")
    return bundle("searchset", entries, links=[("self", address)], total=len(found))


def parameters_of(request: RequestContext) -> list[tuple[str, str]]:
    """Read the parameters of a search, from the address and from a form."""
    asked = request.query.multi_items()
    if request.body:
        try:
            asked += parse_qsl(request.body.decode("utf-8"), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Malformed("the body is no list of search parameters") from None
    return asked


def _includable(request: RequestContext, include: Include) -> ColumnElement[bool]:
    """An include widens neither the rows nor the scopes: without the scope to read, nothing is included."""
    allowed = request.principal.scopes.allow(include.resource_type, "r")
    visible: ColumnElement[bool] = include.visible(request.principal) if allowed else false()
    return visible


def _entry(address: str, row: StoredResource, *, mode: str) -> dict[str, Any]:
    return {"fullUrl": address, "resource": msgspec.Raw(row.body), "search": {"mode": mode}}


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


def patient_asked(asked: Sequence[tuple[str, str]]) -> str | None:
    """Name the one patient that a search asks for, who may have nothing to be found."""
    named = {
        patient.rpartition("/")[2]
        for name, value in asked
        if name.partition(":")[0] in _PATIENT_PARAMS
        for patient in search_values.split(value)
    }
    return named.pop() if len(named) == 1 and search_values.is_id(min(named)) else None
