"""Read, vread, history and search of one resource type, the same for every service."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from sqlalchemy import ColumnElement

from shared.auth.principal import Principal
from shared.db import ResourceRow
from shared.fhir.search import Include, Params

RowRule = Callable[[Principal], ColumnElement[bool]]


def add_reads(
    router: APIRouter,
    *,
    resource_type: str,
    model: type[ResourceRow],
    visible: RowRule,
    rows: str,
    params: Params,
    includes: Mapping[str, Include] | None = None,
) -> None:
    """Add `GET /fhir/Type/{id}`, `.../_history`, `.../_history/{version}`, `GET /fhir/Type` and `POST
    .../_search`.

    `visible(principal)` is the row scope as SQL, `rows` the same in words. A row outside it is 404 and is in
    no total. Search knows `params`, `_id`, `_lastUpdated`, `_count` (default 50, at most 200), `_sort` (the
    params and `_lastUpdated`), `_include` and stable paging links (`_after`); an unknown parameter is refused
    (400).
    """
    raise NotImplementedError
