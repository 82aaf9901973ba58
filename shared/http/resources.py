"""Read, vread, history and search of one resource type, the same for every service."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import ColumnElement, select
from starlette.responses import Response

from shared.auth.principal import Principal
from shared.db import Transaction
from shared.db.models import StoredResource, columns_of, stored_resource
from shared.errors import NotFound
from shared.fhir import history, subsets
from shared.fhir.search import Include, Params, Reverse
from shared.fhir.search_values import as_uuid
from shared.fhir.subsets import WHOLE, Subset
from shared.http import pages
from shared.http.authorize import authorize
from shared.http.errors import FHIR_JSON
from shared.http.request_context import RequestContext
from shared.http.versions import is_known, version_headers

RowRule = Callable[[Principal], ColumnElement[bool]]
Named = Callable[[str], ColumnElement[bool] | None]
Shown = Callable[[Principal, bytes], bytes]


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
    includes: Mapping[str, Include] = MappingProxyType({}),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
    named: Named | None = None,
) -> None:
    """Add `GET /fhir/Type/{id}`, `.../_history`, `.../_history/{version}`, `GET /fhir/Type` and `POST
    .../_search`.

    `visible(principal)` is the row scope as SQL, `rows` the same in words. A row outside it is 404 and is in
    no total. Search knows `params`, `_id`, `_lastUpdated`, `_count` (default 50, at most 200), `_sort` (the
    params and `_lastUpdated`), `_include` of its `includes`, `_revinclude` of those of other types that refer
    to it, `_total`, `_summary`, `_elements` and stable paging links (`_after`). What is not supported is
    refused (400), or ignored with a note where the caller prefers that; `elsewhere` says which service has
    what `_revinclude` names. `model` is a table, or the columns of a subquery that gives each caller a row of
    its own. `named(id)` is the condition that a row shows this id, where that is not the row's own.
    """
    reading = authorize(resource_type, "r", rows=rows)
    searching = authorize(resource_type, "s", rows=rows)
    reader = ResourceReader(resource_type, model, visible, includes=includes, named=named)
    base = f"/fhir/{resource_type}"

    async def read(id: str, request: Annotated[RequestContext, reading]) -> Response:
        return await reader.read(request, id)

    async def list_versions(id: str, request: Annotated[RequestContext, reading]) -> Response:
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
            includes=includes,
            reverses=request.http.app.state.readers.references_to(resource_type),
            elsewhere=elsewhere,
        )

    read.reader = reader  # type: ignore[attr-defined]
    search.search_params = params  # type: ignore[attr-defined]
    search.search_includes = tuple(includes)  # type: ignore[attr-defined]
    router.add_api_route(base, search, methods=["GET"])
    router.add_api_route(f"{base}/_search", search, methods=["POST"])
    router.add_api_route(f"{base}/{{id}}", read, methods=["GET"])
    router.add_api_route(f"{base}/{{id}}/_history", list_versions, methods=["GET"])
    router.add_api_route(f"{base}/{{id}}/_history/{{version}}", vread, methods=["GET"])


class ResourceReader:
    """Reads one resource type inside the row scope of the caller; `shown` leaves out what is not for them."""

    def __init__(
        self,
        resource_type: str,
        model: Any,
        visible: RowRule,
        *,
        includes: Mapping[str, Include] = MappingProxyType({}),
        named: Named | None = None,
        shown: Shown | None = None,
    ) -> None:
        self.type = resource_type
        self.includes = includes
        self._model = model
        self._visible = visible
        self._named = named or self._by_uuid
        self._shown = shown or _everything

    async def read(self, request: RequestContext, id: str) -> Response:
        """Answer the row as it stands, 304 where the caller has this version already."""
        wanted = self._subset(request)
        async with request.transaction() as tx:
            row = await self.find(tx, request.principal, id)
            body = wanted.cut(self._shown(request.principal, row.body))
            answer = await request.answer(tx, body, about=row)
        return _unless_known(request, row) or answer

    async def vread(self, request: RequestContext, id: str, version: str) -> Response:
        """Answer one version of a row that the caller may see now."""
        wanted = self._subset(request)
        async with request.transaction() as tx:
            row = await self.find(tx, request.principal, id)
            stored = await self._version(tx, row, version)
            body = wanted.cut(self._shown(request.principal, stored))
            answer = await request.answer(tx, body, about=row, how="vread")
            answer.headers["ETag"] = f'W/"{version}"'
            del answer.headers["Last-Modified"]
        return answer

    async def history(self, request: RequestContext, id: str) -> Response:
        """Answer a page of the versions of a row that the caller may see now, newest first."""
        asked, wanted = history.parse(request.query.multi_items()), self._subset(request)
        async with request.transaction() as tx:
            row = await self.find(tx, request.principal, id)
            page = await history.run(tx, asked, row, resource_type=self.type)
            address = f"{request.runtime.fhir_base}/{self.type}/{row.fhir_id}"
            links = pages.paging_links(f"{address}/_history", request.query.multi_items(), page.next)
            bundle = pages.history_bundle(
                f"{self.type}/{row.fhir_id}",
                address,
                [
                    (number, wanted.cut(self._shown(request.principal, body)))
                    for number, body in page.versions
                ],
                links=links,
                total=page.total,
            )
            return await request.answer(tx, bundle, about=row, how="history-instance")

    def reference(self, include: Include) -> Reverse:
        """Look at one of this type's references from the type that it refers to."""
        return Reverse(resource_type=self.type, model=self._model, visible=self._visible, include=include)

    def _subset(self, request: RequestContext) -> Subset:
        asked = {name: request.query.getlist(name) for name in subsets.NAMES if name in request.query}
        return subsets.read(asked, resource_type=self.type)[0] if asked else WHOLE

    async def find(self, tx: Transaction, principal: Principal, id: str) -> StoredResource:
        """Find a row that a caller may see now; raises NoSuchResource."""
        found: Sequence[Any] = ()
        if (named := self._named(id)) is not None:
            seen = select(*columns_of(self._model)).where(named)
            found = await tx.select(seen.where(self._visible(principal)))
        if not found:
            raise NoSuchResource(f"there is no {self.type}/{id[:64]} that you may see")
        return stored_resource(found[0])

    def _by_uuid(self, text: str) -> ColumnElement[bool] | None:
        wanted = as_uuid(text)
        return None if wanted is None else self._model.id == wanted

    async def _version(self, tx: Transaction, row: StoredResource, version: str) -> bytes:
        if version == str(row.version):
            return row.body
        found = await history.earlier_version(tx, row, _number(version), resource_type=self.type)
        if found is None:
            raise NoSuchResource(f"{self.type}/{row.fhir_id} has no version {version[:20]}")
        return found


class Readers:
    """The readers of a service, by resource type."""

    def __init__(self, readers: Mapping[str, ResourceReader]) -> None:
        self._readers = readers

    @classmethod
    def of(cls, app: FastAPI) -> "Readers":
        """Collect the readers that `add_reads` has put on the routes of an app."""
        readers = [
            reader
            for route in iter_route_contexts(app.routes)
            if (reader := getattr(route.endpoint, "reader", None)) is not None
        ]
        return cls({reader.type: reader for reader in readers})

    def references_to(self, resource_type: str) -> Mapping[str, Reverse]:
        """Give the references of all types to this one, by the name that `_revinclude` has for them."""
        return {
            name: reader.reference(include)
            for reader in self._readers.values()
            for name, include in reader.includes.items()
            if include.resource_type == resource_type
        }

    def has(self, reference: str) -> bool:
        """Tell whether a reference (`Task/<id>`) names a resource of a type that can be read here."""
        return reference.partition("/")[0] in self._readers

    async def find(self, tx: Transaction, principal: Principal, reference: str) -> StoredResource:
        """Find what a reference names and the caller may see now; raises NoSuchResource."""
        resource_type, _, id = reference.partition("/")
        if resource_type not in self._readers:
            raise NoSuchResource("there is no such resource that you may see")
        return await self._readers[resource_type].find(tx, principal, id)


def _everything(_: Principal, body: bytes) -> bytes:
    return body


def _unless_known(request: RequestContext, row: StoredResource) -> Response | None:
    if not is_known(request.http, row):
        return None
    return Response(status_code=304, headers=version_headers(row), media_type=FHIR_JSON)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
