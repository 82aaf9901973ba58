"""Read, vread, history and search of one resource type, the same for every service."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import ColumnElement, column, desc, select, table
from starlette.responses import Response

from shared.auth.principal import Principal
from shared.db import Transaction
from shared.db.models import StoredResource, columns_of, stored_resource
from shared.errors import NotFound
from shared.fhir.search import Include, Params
from shared.http import pages
from shared.http.authorize import authorize
from shared.http.errors import FHIR_JSON
from shared.http.request_context import RequestContext
from shared.http.versions import version_headers, version_in

RowRule = Callable[[Principal], ColumnElement[bool]]

_VERSIONS = table(
    "resource_version",
    column("type"),
    column("id"),
    column("version"),
    column("last_updated"),
    column("body"),
)


class NoSuchResource(NotFound):
    """There is none, or none that this caller may see."""


def add_reads(
    router: APIRouter,
    *,
    resource_type: str,
    model: Any,
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
    reading = authorize(resource_type, "r", rows=rows)
    searching = authorize(resource_type, "s", rows=rows)
    reader = _Reader(resource_type, model, visible)
    base = f"/fhir/{resource_type}"

    async def read(id: str, request: Annotated[RequestContext, reading]) -> Response:
        return await reader.read(request, id)

    async def history(id: str, request: Annotated[RequestContext, reading]) -> Response:
        return await reader.history(request, id)

    async def vread(id: str, version: str, request: Annotated[RequestContext, reading]) -> Response:
        return await reader.vread(request, id, version)

    async def search(request: Annotated[RequestContext, searching]) -> Response:
        return await pages.answer(
            request,
            resource_type=resource_type,
            model=model,
            visible=visible,
            params=params,
            includes=includes or {},
        )

    search.search_params = params  # type: ignore[attr-defined]
    search.search_includes = tuple(includes or ())  # type: ignore[attr-defined]
    router.add_api_route(base, search, methods=["GET"])
    router.add_api_route(f"{base}/_search", search, methods=["POST"])
    router.add_api_route(f"{base}/{{id}}", read, methods=["GET"])
    router.add_api_route(f"{base}/{{id}}/_history", history, methods=["GET"])
    router.add_api_route(f"{base}/{{id}}/_history/{{version}}", vread, methods=["GET"])


class _Reader:
    """Reads one resource type inside the row scope of the caller."""

    def __init__(self, resource_type: str, model: Any, visible: RowRule) -> None:
        self._type = resource_type
        self._model = model
        self._visible = visible

    async def read(self, request: RequestContext, id: str) -> Response:
        """Answer the row as it stands, 304 where the caller has this version already."""
        async with request.transaction() as tx:
            row = await self._find(tx, request, id)
            answer = await request.answer(tx, row.body, about=row, patient=self._patient(row))
        return _unless_known(request, row) or answer

    async def vread(self, request: RequestContext, id: str, version: str) -> Response:
        """Answer one version of a row that the caller may see now."""
        async with request.transaction() as tx:
            row = await self._find(tx, request, id)
            body = await self._version(tx, row, version)
            answer = await request.answer(tx, body, about=row, patient=self._patient(row), how="vread")
            answer.headers["ETag"] = f'W/"{version}"'
            del answer.headers["Last-Modified"]
        return answer

    async def history(self, request: RequestContext, id: str) -> Response:
        """Answer every version of a row that the caller may see now, newest first."""
        async with request.transaction() as tx:
            row = await self._find(tx, request, id)
            bundle = await self._history(tx, request, row)
            return await request.answer(
                tx, bundle, about=row, patient=self._patient(row), how="history-instance"
            )

    async def _find(self, tx: Transaction, request: RequestContext, id: str) -> StoredResource:
        wanted = _uuid(id)
        found: Sequence[Any] = ()
        if wanted is not None:
            seen = select(*columns_of(self._model)).where(self._model.id == wanted)
            found = await tx.select(seen.where(self._visible(request.principal)))
        if not found:
            raise NoSuchResource(f"there is no {self._type}/{id[:64]} that you may see")
        return stored_resource(found[0])

    async def _version(self, tx: Transaction, row: StoredResource, version: str) -> bytes:
        if version == str(row.version):
            return row.body
        statement = select(_VERSIONS.c.body).where(*self._of(row), _VERSIONS.c.version == _number(version))
        found = await tx.select(statement)
        if not found:
            raise NoSuchResource(f"{self._type}/{row.id} has no version {version[:20]}")
        return bytes(found[0][0])

    async def _history(self, tx: Transaction, request: RequestContext, row: StoredResource) -> bytes:
        statement = select(_VERSIONS.c.version, _VERSIONS.c.body).where(*self._of(row))
        earlier = await tx.select(statement.order_by(desc(_VERSIONS.c.version)))
        found = [(row.version, row.body), *earlier]
        address = f"{request.runtime.fhir_base}/{self._type}/{row.id}"
        return pages.history_bundle(f"{address}/_history", f"{self._type}/{row.id}", address, found)

    def _of(self, row: StoredResource) -> tuple[ColumnElement[bool], ...]:
        """Choose the versions before the one that the row is: it may be replaced meanwhile."""
        return (
            _VERSIONS.c.type == self._type,
            _VERSIONS.c.id == str(row.id),
            _VERSIONS.c.version < row.version,
        )

    def _patient(self, row: StoredResource) -> str | None:
        return str(row.id) if self._type == "Patient" else None


def _unless_known(request: RequestContext, row: StoredResource) -> Response | None:
    known = request.http.headers.get("if-none-match")
    if known is None or str(row.version) not in {version_in(tag) for tag in known.split(",")}:
        return None
    return Response(status_code=304, headers=version_headers(row), media_type=FHIR_JSON)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
