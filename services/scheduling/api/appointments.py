"""Changes of appointments."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import fhir, use_cases
from services.scheduling.queries import scope
from services.scheduling.rules.moving import CannotMove
from services.scheduling.rules.status_change import NotInThisState, TooEarly
from services.scheduling.use_cases.availability_cache import AvailabilityCache
from services.scheduling.use_cases.change import HeldByAnother, VisitOfAnother
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

_Change = Annotated[RequestContext, authorize("Appointment", "u", rows=scope.CHANGE_ROWS)]


def router_of(cache: AvailabilityCache) -> APIRouter:
    """Make the route that changes an appointment."""
    router = APIRouter()

    refused = refuses(VisitOfAnother, HeldByAnother, NotInThisState, TooEarly, CannotMove)

    @router.put("/fhir/Appointment/{id}", responses=refused)
    async def change(id: str, request: _Change) -> Response:
        """Record arrived, fulfilled, noshow or cancelled, or give a new start."""
        only(request, "coordinator", "clinician", what="change appointments")
        received = await request.resource("Appointment")
        async with request.transaction() as tx:
            referral, row = await use_cases.change.for_caller(request.ctx, tx, id)
            request.expect(row)
            wanted = fhir.appointment_change.read(row, received.data, urls=request.ctx.urls)
            await use_cases.change.run(request.ctx, tx, row, wanted, referral=referral, cache=cache)
            return await request.answer(tx, row.body, about=row, patient=row.patient_id)

    return router
