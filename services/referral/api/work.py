"""Tasks of the coordinator, and the insurer's part: its answers and its questions."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.referral import use_cases
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)

_OWN_CLAIMS = "the insurer's own Claims, with the patient's active consent"


@router.put("/fhir/Task/{id}")
async def update_task(
    id: str, call: Call = Depends(requires("Task", "u", rows="the Tasks of the coordinator's site"))
) -> Response:
    """Change the status of a Task that people work on; needs If-Match."""
    only(call, "coordinator", what="change this Task")
    received = await call.resource("Task")
    async with call.transaction() as tx:
        task = await use_cases.update_task(call.ctx, tx, id, wanted=received.data, expect=call.expect)
        return await call.answer(tx, task.body, about=task)


@router.post("/fhir/ClaimResponse")
async def answer_claim(call: Call = Depends(requires("ClaimResponse", "c", rows=_OWN_CLAIMS))) -> Response:
    """Record the insurer's answer to a Claim."""
    only(call, "insurer", what="answer a Claim")
    received = await call.resource("ClaimResponse")
    async with call.transaction() as tx:
        response = await use_cases.record_decision(call.ctx, tx, received)
        location = f"ClaimResponse/{response.id}/_history/{response.version}"
        return await call.answer(tx, response.body, status=201, about=response, location=location)


@router.post("/fhir/Claim/$inquire")
async def inquire(call: Call = Depends(requires("Claim", "s", rows=_OWN_CLAIMS))) -> Response:
    """Tell an insurer where its requests for a member stand."""
    only(call, "insurer", "coordinator", what="inquire")
    received = await call.resource("Parameters", "Claim", "Bundle")
    async with call.transaction() as tx:
        body = await use_cases.inquire(call.ctx, tx, received.data, base=call.runtime.fhir_base)
        return await call.answer(tx, body)
