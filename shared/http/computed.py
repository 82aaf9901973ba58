"""Searches of what is computed, or written once, and not stored: with the controls of every other search.

Not stored is not sorted and has no time of its own: `_sort` and `_lastUpdated` are not supported here. All
comes at once unless `_count` says how much; a page begins behind so many, for what is computed has no keys.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import msgspec

from shared.errors import Invalid, NotSupported, Problem
from shared.fhir import search_query
from shared.fhir.search import Search, SearchParam
from shared.http import pages

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedParam:
    """A search parameter of what is not stored: its type in FHIR, and what it says in words."""

    kind: Literal["token", "string", "reference", "date", "uri"]
    text: str


ComputedParams = Mapping[str, ComputedParam]


def searched_by(params: ComputedParams) -> Callable[[Endpoint], Endpoint]:
    """Let the CapabilityStatement and the OpenAPI document name the parameters of a search."""

    def with_params(endpoint: Endpoint) -> Endpoint:
        endpoint.computed_params = params  # type: ignore[attr-defined]
        return endpoint

    return with_params


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedQuery:
    """A query that was read: the values of each parameter as they were written, and the controls."""

    resource_type: str
    asked: Sequence[tuple[str, str]]
    values: Mapping[str, Sequence[str]]
    search: Search

    def first(self, name: str) -> str | None:
        """Give the first value of a parameter, None where it was not given."""
        return next(iter(self.values.get(name, ())), None)


def read(request: pages.SearchRequest, *, resource_type: str, known: ComputedParams) -> ComputedQuery:
    """Read a query that may have these parameters; raises NotSupported for another, Invalid for no value.

    For a lenient caller what is not supported becomes a note.
    """
    asked = pages.parameters_of(request)
    lenient = request.prefers.lenient
    params = {name: SearchParam(kind="string", column=None) for name in known}
    search = search_query.parse(asked, params, resource_type=resource_type, lenient=lenient)
    notes = [*search.notes]
    for criterion in search.criteria:
        if criterion.modifier or criterion.name == "_lastUpdated":
            notes.append(_unsupported("this is not supported here", criterion.name, lenient=lenient))
    if search.sort:
        notes.append(_unsupported("what is found here is not sorted", "_sort", lenient=lenient))
    values = {name: [value for other, value in asked if other == name] for name in (*known, "_id")}
    return ComputedQuery(
        resource_type=resource_type,
        asked=asked,
        values=values,
        search=replace(search, notes=tuple(notes)),
    )


def write(
    request: pages.SearchRequest,
    query: ComputedQuery,
    found: Sequence[Mapping[str, Any]],
    *,
    encode: Callable[[Mapping[str, Any]], bytes] = msgspec.json.encode,
) -> bytes:
    """Write a page of what was found as a searchset, each resource by `encode`.

    Raises Invalid for an `_after` that is none of ours.
    """
    ids = {id for text in query.values["_id"] for id in text.split(",")}
    fit = [resource for resource in found if not ids or resource["id"] in ids]
    page, after = _page(fit, query)
    address = f"{request.runtime.fhir_base}/{query.resource_type}"
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"{address}/{resource['id']}",
            "resource": msgspec.Raw(query.search.subset.cut(encode(resource))),
            "search": {"mode": "match"},
        }
        for resource in page
    ]
    entries += pages.noted(query.search.notes)
    links = pages.paging_links(address, query.asked, after)
    return pages.bundle(
        "searchset", entries, links=links, total=len(fit) if query.search.with_total else None
    )


def _page(
    found: Sequence[Mapping[str, Any]], query: ComputedQuery
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """Cut a page out of what was found, and say behind how many the next one begins."""
    text = query.search.after or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("this is no token of ours", expression="_after")
    begin, count = int(text), query.search.count
    if count and not any(name == "_count" for name, _ in query.asked):
        count = len(found)
    end = begin + count
    return found[begin:end], str(end) if count and end < len(found) else None


def _unsupported(text: str, expression: str, *, lenient: bool) -> Problem:
    refusal = NotSupported(text, expression=expression)
    if not lenient:
        raise refusal
    return replace(refusal.problems[0], severity="warning")
