"""Reads and searches of the clinic's directory, and what a coordinator changes of the roster in it."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.scheduling import use_cases
from services.scheduling.queries import scope
from services.scheduling.rules.roster import CannotChangeRoster
from shared.auth.scopes import Interaction
from shared.http.authorize import authorize, only
from shared.http.directory_reads import add_directory_reads
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()
add_directory_reads(router)

CREATED = ("Practitioner", "Location")
UPDATED = ("Practitioner", "PractitionerRole", "Location", "HealthcareService")


def _add_create(kind: str) -> None:
    interaction: Interaction = "c"
    guard = authorize(kind, interaction, rows=scope.ROSTER_ROWS)

    async def create(request: Annotated[RequestContext, guard]) -> Response:
        only(request, "coordinator", what="change the roster")
        received = await request.resource(kind)
        async with request.transaction() as tx:
            row = await use_cases.change_directory.create(request.ctx, tx, received.data)
            location = f"{kind}/{row.fhir_id}/_history/{row.version}"
            return await request.answer(tx, row.body, status=201, about=row, location=location)

    create.__doc__ = f"Add a {kind} to the site's roster; its id is made of its name."
    responses = refuses(CannotChangeRoster)
    router.add_api_route(f"/fhir/{kind}", create, methods=["POST"], status_code=201, responses=responses)


def _add_update(kind: str) -> None:
    interaction: Interaction = "u"
    guard = authorize(kind, interaction, rows=scope.ROSTER_ROWS)

    async def update(id: str, request: Annotated[RequestContext, guard]) -> Response:
        only(request, "coordinator", what="change the roster")
        received = await request.resource(kind)
        async with request.transaction() as tx:
            row = await use_cases.change_directory.update(
                request.ctx, tx, id, received.data, expect=request.expect
            )
            return await request.answer(tx, row.body, about=row)

    update.__doc__ = f"Change a {kind} of the site's roster; needs If-Match."
    responses = refuses(CannotChangeRoster)
    router.add_api_route(f"/fhir/{kind}/{{id}}", update, methods=["PUT"], responses=responses)


for _kind in CREATED:
    _add_create(_kind)
for _kind in UPDATED:
    _add_update(_kind)
