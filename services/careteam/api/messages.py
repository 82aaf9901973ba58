"""Messages of the team about its patient."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import operations, use_cases
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.use_cases.load import NotAPerson
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()


@router.post("/fhir/Communication", responses=refuses(NotAPerson, TeamHasEnded))
async def post_message(
    request: Annotated[RequestContext, authorize("Communication", "c", rows=operations.teams.PATIENT_ROWS)],
) -> Response:
    """Write to members of the patient's team."""
    only(request, "clinician", what="write to a team")
    sender = use_cases.load.person(request.ctx)
    received = await request.resource("Communication")
    async with request.transaction() as tx:
        team = await use_cases.load.team_of_patient(request.ctx, tx, received.data, member="subject")
        message = await use_cases.post_message.run(request.ctx, tx, team, received=received, sender=sender)
        return await request.answer(
            tx, message.body, status=201, about=message, location=f"Communication/{message.id}/_history/1"
        )
