"""Changes of Tasks and patients by the coordinator, and the insurer's answers to Claims."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import use_cases
from services.referral.fhir.channel_consents import WrongChannelConsent
from services.referral.rules.authorization import WrongDecision
from services.referral.rules.steps import Refused
from services.referral.use_cases.answer_claim import AnswerDoesNotFit, ClaimDecided, NoSuchClaim
from services.referral.use_cases.correct_patient import NotCorrected, OtherPatientId
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


@router.put(
    "/fhir/Patient/{id}", responses=refuses(OtherPatientId, NotCorrected, WrongChannelConsent, Refused)
)
async def correct_patient(
    id: str,
    request: Annotated[
        RequestContext, authorize("Patient", "u", rows="the patients of the coordinator's site")
    ],
) -> Response:
    """Correct what the clinic knows of a patient; needs If-Match.

    The body is the whole Patient. Its `active`, `link` and `deceased[x]` stay as they are; an identifier is
    added or ended.
    """
    only(request, "coordinator", what="correct a patient")
    received = await request.resource("Patient")
    async with request.transaction() as tx:
        patient = await use_cases.correct_patient.run(request.ctx, tx, id, received, expect=request.expect)
        return await request.answer(tx, patient.body, about=patient)


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
