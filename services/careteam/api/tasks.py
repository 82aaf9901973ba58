"""Actions, updated by their owner, and cases that a member brings."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import operations, use_cases
from services.careteam.api.request_parsing import to_replace
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.use_cases.bring_case import AlreadyOnTheAgenda
from services.careteam.use_cases.load import NotAPerson
from services.careteam.use_cases.update_action import DecidedAtAMeeting, NotTheOwner
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()


@router.post("/fhir/Task", responses=refuses(NotAPerson, AlreadyOnTheAgenda, TeamHasEnded))
async def bring_case(
    request: Annotated[RequestContext, authorize("Task", "c", rows=operations.teams.PATIENT_ROWS)],
) -> Response:
    """Put a patient's case on the next agenda; no other Task is created here."""
    only(request, "clinician", what="bring a case")
    requester = use_cases.load.person(request.ctx)
    received = await request.resource("Task")
    async with request.transaction() as tx:
        team = await use_cases.load.team_of_patient(request.ctx, tx, received.data, member="for")
        case = await use_cases.bring_case.run(request.ctx, tx, team, asked=received.data, requester=requester)
        return await request.answer(
            tx, case.body, status=201, about=case, location=f"Task/{case.id}/_history/{case.version}"
        )


@router.put("/fhir/Task/{id}", responses=refuses(NotTheOwner, DecidedAtAMeeting))
async def update_action(
    id: str, request: Annotated[RequestContext, authorize("Task", "u", rows=operations.tasks.ROWS)]
) -> Response:
    """Say how an action stands: accepted, in-progress, completed, or rejected with the reason."""
    only(request, "clinician", "coordinator", what="update an action")
    received = await to_replace(request, "Task", id)
    async with request.transaction() as tx:
        team, task = await use_cases.load.task(request.ctx, tx, id)
        request.expect(task)
        await use_cases.update_action.run(
            request.ctx, tx, team, task, received=received, by=request.principal.practitioner
        )
        return await request.answer(tx, task.body, about=task)
