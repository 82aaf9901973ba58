"""GET /fhir/AuditEvent: a coordinator reads who saw or did what in this service."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from sqlalchemy import and_, column, func, select, table
from starlette.responses import Response

from shared.errors import Invalid, NotSupported
from shared.fhir import search_values
from shared.http import pages
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import DATE, query

_EVENTS = table("audit_event", column("id"), column("recorded"), column("patient_id"), column("body"))
_ROWS = "a coordinator every AuditEvent of this service, nobody else any"
_KNOWN = frozenset(("patient", "date", "_count", "_after"))


def audit_router() -> APIRouter:
    """Give the router of AuditEvent; every service has the same."""
    router = APIRouter()

    @router.get(
        "/fhir/AuditEvent",
        openapi_extra=query(patient="`Patient/id`", date=DATE, _count="at most 200", _after="where to go on"),
    )
    async def search(
        request: Annotated[RequestContext, authorize("AuditEvent", "s", rows=_ROWS)],
    ) -> Response:
        only(request, "coordinator", what="read who saw or did what")
        asked = request.query.multi_items()
        where, count = _where(asked), _count(request.query.get("_count"))
        page = (
            where if "_after" not in request.query else [*where, _EVENTS.c.id < _id(request.query["_after"])]
        )
        async with request.transaction() as tx:
            newest = select(_EVENTS.c.id, _EVENTS.c.body).where(and_(True, *page))
            found = await tx.select(newest.order_by(_EVENTS.c.id.desc()).limit(count + 1))
            every = select(func.count()).select_from(_EVENTS).where(and_(True, *where))
            [[total]] = await tx.select(every)
            bundle = _bundle(request, asked, found, total=total, count=count)
            return await request.answer(tx, bundle, patient=_patient(request))

    return router


def _where(asked: Sequence[tuple[str, str]]) -> list[Any]:
    where: list[Any] = []
    for name, value in asked:
        if name not in _KNOWN:
            raise NotSupported("there is no such search parameter here", expression=name[:64])
        if name == "patient":
            wanted = search_values.read("reference", value, name=name, types=("Patient",))
            where.append(_EVENTS.c.patient_id == wanted)
        if name == "date":
            on = search_values.read("date", value, name=name, types=())
            where.append(search_values.clause("date", _EVENTS.c.recorded, on))
    return where


def _count(text: str | None) -> int:
    if text is None:
        return 50
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise Invalid("a number above 0 is needed", expression="_count")
    return min(int(text[:9]), 200)


def _bundle(
    request: RequestContext, asked: Sequence[tuple[str, str]], found: Sequence[Any], *, total: int, count: int
) -> bytes:
    address = f"{request.runtime.fhir_base}/AuditEvent"
    after = str(found[count - 1]["id"]) if len(found) > count else None
    entries = [
        {
            "fullUrl": f"{address}/{row['id']}",
            "resource": msgspec.Raw(bytes(row["body"])),
            "search": {"mode": "match"},
        }
        for row in found[:count]
    ]
    links = pages.paging_links(address, asked, after)
    return pages.bundle("searchset", entries, links=links, total=total)


def _id(after: str) -> str:
    try:
        return str(UUID(after))
    except ValueError:
        raise Invalid("this is no place to go on from", expression="_after") from None


def _patient(request: RequestContext) -> str | None:
    asked = request.query.get("patient")
    return None if asked is None else str(search_values.read("reference", asked, name="patient", types=()))
