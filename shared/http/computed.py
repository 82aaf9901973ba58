"""Searches of what is computed, or written once, and not stored: with the controls of every other search.

Not stored is not sorted and has no time of its own: `_sort` and `_lastUpdated` are not supported here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from shared.errors import NotSupported, Problem
from shared.fhir import search_query
from shared.fhir.search import Search, SearchParam
from shared.http import pages


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


def read(request: pages.SearchRequest, *, resource_type: str, known: Collection[str]) -> ComputedQuery:
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


def write(request: pages.SearchRequest, query: ComputedQuery, found: Sequence[Mapping[str, Any]]) -> bytes:
    """Write all that was found as a searchset."""
    ids = {id for text in query.values["_id"] for id in text.split(",")}
    fit = [resource for resource in found if not ids or resource["id"] in ids]
    address = f"{request.runtime.fhir_base}/{query.resource_type}"
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": f"{address}/{resource['id']}",
            "resource": msgspec.Raw(query.search.subset.cut(msgspec.json.encode(resource))),
            "search": {"mode": "match"},
        }
        for resource in (fit if query.search.count else ())
    ]
    entries += pages.noted(query.search.notes)
    links = pages.paging_links(address, query.asked, None)
    return pages.bundle(
        "searchset", entries, links=links, total=len(fit) if query.search.with_total else None
    )


def _unsupported(text: str, expression: str, *, lenient: bool) -> Problem:
    refusal = NotSupported(text, expression=expression)
    if not lenient:
        raise refusal
    return replace(refusal.problems[0], severity="warning")
