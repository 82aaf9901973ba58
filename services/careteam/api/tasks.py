"""Actions, updated by their owner, and cases that a member brings."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import use_cases
from services.careteam.api.received import person, to_replace
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)


@router.post("/fhir/Task")
async def bring_case(
    call: Call = Depends(requires("Task", "c", rows="patients of the clinician's own teams")),
) -> Response:
    """Put a patient's case on the next agenda; no other Task is created here."""
    only(call, "clinician", what="bring a case")
    requester = person(call)
    received = await call.resource("Task")
    async with call.transaction() as tx:
        team = await use_cases.load.team_of_patient(call.ctx, tx, received.data, member="for")
        case = await use_cases.agenda.bring_case(call.ctx, tx, team, asked=received.data, requester=requester)
        return await call.answer(
            tx, case.body, status=201, about=case, location=f"Task/{case.id}/_history/{case.version}"
        )


@router.put("/fhir/Task/{id}")
async def update_action(
    id: str, call: Call = Depends(requires("Task", "u", rows="actions that the caller owns"))
) -> Response:
    """Say how an action stands: accepted, in-progress, completed, or rejected with the reason."""
    only(call, "clinician", "coordinator", what="update an action")
    received = await to_replace(call, "Task", id)
    async with call.transaction() as tx:
        team, task = await use_cases.load.task(call.ctx, tx, id)
        call.expect(task)
        await use_cases.actions.update_action(
            call.ctx, tx, team, task, received=received, by=call.principal.practitioner
        )
        return await call.answer(tx, task.body, about=task)
