"""Changes of Tasks by the coordinator, and the insurer's answers to Claims."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import use_cases
from services.referral.rules.authorization import WrongDecision
from services.referral.use_cases.answer_claim import AnswerDoesNotFit, ClaimDecided, NoSuchClaim
from services.referral.use_cases.referral_file import NoReason
from services.referral.use_cases.update_task import AnotherTask, DecideFirst, NotByHand
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_OWN_CLAIMS = "the insurer's own Claims, with the patient's active consent"


@router.put("/fhir/Task/{id}", responses=refuses(NotByHand, AnotherTask, DecideFirst, NoReason))
async def update_task(
    id: str,
    request: Annotated[RequestContext, authorize("Task", "u", rows="the Tasks of the coordinator's site")],
) -> Response:
    """Change the status of a Task that people work on; needs If-Match."""
    only(request, "coordinator", what="change this Task")
    received = await request.resource("Task")
    async with request.transaction() as tx:
        task = await use_cases.update_task.run(
            request.ctx, tx, id, wanted=received.data, expect=request.expect
        )
        return await request.answer(tx, task.body, about=task)


@router.post(
    "/fhir/ClaimResponse", responses=refuses(NoSuchClaim, AnswerDoesNotFit, WrongDecision, ClaimDecided)
)
async def answer_claim(
    request: Annotated[RequestContext, authorize("ClaimResponse", "c", rows=_OWN_CLAIMS)],
) -> Response:
    """Record the insurer's answer to a Claim."""
    only(request, "insurer", what="answer a Claim")
    received = await request.resource("ClaimResponse")
    async with request.transaction() as tx:
        response = await use_cases.answer_claim.run(request.ctx, tx, received)
        location = f"ClaimResponse/{response.id}/_history/{response.version}"
        return await request.answer(tx, response.body, status=201, about=response, location=location)
