"""Absences of people and closed days of a site: Slots that are `busy-unavailable`, written by
coordinators.
"""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, use_cases
from services.scheduling.models.tables import UnavailableTimeTable
from services.scheduling.queries import scope, unavailable
from services.scheduling.rules.roster import CannotChangeRoster
from shared.auth.principal import Principal
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.resources import ResourceReader
from shared.http.responses import refuses

router = APIRouter()


def shown(principal: Principal, body: bytes) -> bytes:
    """Leave out of a Slot what is not for a caller."""
    return body if unavailable.is_seen_why(principal) else fhir.unavailable.without_reason(body)


reader = ResourceReader("Slot", UnavailableTimeTable, unavailable.visible, shown=shown)

_Create = Annotated[RequestContext, authorize("Slot", "c", rows=scope.ROSTER_ROWS)]
_Change = Annotated[RequestContext, authorize("Slot", "u", rows=scope.ROSTER_ROWS)]
_Delete = Annotated[RequestContext, authorize("Slot", "d", rows=scope.ROSTER_ROWS)]
_Read = Annotated[RequestContext, authorize("Slot", "r", rows=unavailable.ROWS)]


@router.post("/fhir/Slot", status_code=201, responses=refuses(CannotChangeRoster))
async def create(request: _Create) -> Response:
    """Say that a person is away or the site is closed; the visits concerned are seen to at once."""
    only(request, "coordinator", what="change the roster")
    received = await request.resource("Slot")
    async with request.transaction() as tx:
        change = fhir.unavailable.read(request.ctx, received.data)
        row = await use_cases.change_absence.create(request.ctx, tx, change)
        location = f"Slot/{row.id}/_history/{row.version}"
        return await request.answer(tx, row.body, status=201, about=row, location=location)


@router.put("/fhir/Slot/{id}", responses=refuses(CannotChangeRoster))
async def change(id: str, request: _Change) -> Response:
    """Change an absence or a closed day, or take it back as entered in error; needs If-Match."""
    only(request, "coordinator", what="change the roster")
    received = await request.resource("Slot")
    async with request.transaction() as tx:
        wanted = fhir.unavailable.read(request.ctx, received.data)
        row = await use_cases.change_absence.update(request.ctx, tx, id, wanted, expect=request.expect)
        return await request.answer(tx, row.body, about=row)


@router.delete("/fhir/Slot/{id}", responses=refuses(CannotChangeRoster))
async def remove(id: str, request: _Delete) -> Response:
    """Take an absence or a closed day back, as a PUT with `entered-in-error` does; needs If-Match.

    The Slot stays with its history, and is the answer.
    """
    only(request, "coordinator", what="change the roster")
    async with request.transaction() as tx:
        row = await use_cases.change_absence.remove(request.ctx, tx, id, expect=request.expect)
        return await request.answer(tx, row.body, about=row)


@router.get("/fhir/Slot/{id}/_history")
async def history(id: str, request: _Read) -> Response:
    """List the versions of an absence, the newest first."""
    return await reader.history(request, id)


@router.get("/fhir/Slot/{id}/_history/{version}")
async def vread(id: str, version: str, request: _Read) -> Response:
    """Read one version of an absence."""
    return await reader.vread(request, id, version)
