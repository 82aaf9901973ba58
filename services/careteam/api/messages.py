"""Messages of the team about its patient."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import use_cases
from services.careteam.api.received import person
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)


@router.post("/fhir/Communication")
async def post_message(
    call: Call = Depends(requires("Communication", "c", rows="patients of the clinician's own teams")),
) -> Response:
    """Write to members of the patient's team."""
    only(call, "clinician", what="write to a team")
    sender = person(call)
    received = await call.resource("Communication")
    async with call.transaction() as tx:
        team = await use_cases.load.team_of_patient(call.ctx, tx, received.data, member="subject")
        message = await use_cases.messages.post_message(call.ctx, tx, team, received=received, sender=sender)
        return await call.answer(
            tx, message.body, status=201, about=message, location=f"Communication/{message.id}/_history/1"
        )
