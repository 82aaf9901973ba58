"""The three doors of a referral, the dry run, and the Questionnaire that says what the clinic needs."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.responses import Response

from services.referral import fhir, use_cases
from services.referral.fhir.entry import WrongEntry
from services.referral.fhir.messages import Act, NotAMessage, UnknownEvent
from services.referral.fhir.submission import NotAReferral
from services.referral.models.submission import Receipt, Submission
from services.referral.use_cases.about_patient import AnotherPatientsAttachment
from services.referral.use_cases.answered import AnswersNothing
from services.referral.use_cases.attach import CannotAttach
from services.referral.use_cases.communicate import NothingSaid
from services.referral.use_cases.end import NeverSent
from services.referral.use_cases.entered_again import AnotherArrival, SendersOwn
from services.referral.use_cases.match_patient import SeveralPatients, UnknownPatient
from services.referral.use_cases.placing import AnothersResource, SeveralFound
from services.referral.use_cases.receive import AnotherSites
from services.referral.use_cases.sent_again import AnotherPatient, IsOver
from shared import indexed_text
from shared.errors import Invalid, NotFound, NotSupported
from shared.fhir import check, condition
from shared.fhir.received import Received
from shared.http import computed
from shared.http.authorize import authorize, only
from shared.http.computed import ComputedParam
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()

_WITH_TYPE = re.compile(r"^(?:(?:[^?=]*/)?ServiceRequest)?\?")
_OWN = "what the caller sends becomes the caller's own; what a coordinator enters, its sender's"
_SENDERS = ("referrer", "coordinator")
_SENDING = authorize("ServiceRequest", "c", rows=_OWN)
_EVERYBODY = "the clinic's own Questionnaire, the same for everybody"
_QUESTIONNAIRE_PARAMS = {
    "url": ComputedParam(kind="uri", text="its canonical URL"),
    "name": ComputedParam(kind="string", text="its name"),
    "status": ComputedParam(kind="token", text="`active`"),
}


@router.post(
    "/fhir",
    responses=refuses(
        NotAReferral,
        UnknownPatient,
        SeveralPatients,
        AnotherPatient,
        AnotherPatientsAttachment,
        CannotAttach,
        IsOver,
        UnknownEvent,
        SeveralFound,
        AnothersResource,
        WrongEntry,
        AnotherSites,
        SendersOwn,
        AnotherArrival,
    ),
)
async def transact(request: Annotated[RequestContext, _SENDING]) -> Response:
    """Take a transaction Bundle, or a message Bundle at the base."""
    received = await request.resource("Bundle")
    if received.data.get("type") == "message":
        return await _process(request, received)
    only(request, *_SENDERS, what="send a referral")
    submission = _submission(request, received)

    async with request.transaction() as tx:
        receipt = await use_cases.receive.run(request.ctx, tx, submission)
        body = fhir.answers.transaction_response(receipt.answer)
        return await request.answer(tx, body, about=receipt.referral)


@router.post(
    "/fhir/$process-message",
    responses=refuses(
        NotAReferral,
        NotAMessage,
        UnknownPatient,
        AnotherPatient,
        IsOver,
        UnknownEvent,
        NeverSent,
        NothingSaid,
        AnswersNothing,
    ),
)
async def process_message(request: Annotated[RequestContext, _SENDING]) -> Response:
    """Take a message Bundle: a new referral, or an update, a revocation, a communication about one.

    The same message again gets the same answer.
    """
    only(request, "referrer", what="send a message")
    return await _process(request, await request.resource("Bundle"))


@router.post(
    "/fhir/ServiceRequest",
    responses=refuses(
        NotAReferral,
        UnknownPatient,
        AnotherPatient,
        IsOver,
        WrongEntry,
        AnotherSites,
        SendersOwn,
        AnotherArrival,
    ),
)
async def create(
    request: Annotated[RequestContext, authorize("ServiceRequest", "c", rows=_OWN, conditional=True)],
) -> Response:
    """Take a bare ServiceRequest with its Patient contained, or known by identifier.

    `If-None-Exist: identifier=system|value` gives the caller's own referral with that identifier instead, as
    it is; where this one bears the identifier itself, it corrects the referral.
    """
    received = await request.resource("ServiceRequest")
    only(request, *_SENDERS, what="send a referral")
    submission = _submission(request, received)
    asked = _condition(request)

    async with request.transaction() as tx:
        receipt = None
        if asked is not None and asked not in submission.request.identifiers:
            requester = submission.requester
            found = await use_cases.receive.already_sent(request.ctx, tx, asked, requester=requester)
            receipt = found and Receipt(referral=found, outcome="same", answer=[])
        receipt = receipt or await use_cases.receive.run(request.ctx, tx, submission)
        referral, status = receipt.referral, 201 if receipt.outcome == "new" else 200
        return await request.answer(
            tx, referral.body, status=status, about=referral, location=_located(receipt)
        )


@router.post("/fhir/ServiceRequest/$validate")
async def validate(
    request: Annotated[
        RequestContext, authorize("ServiceRequest", "c", rows="nothing is written", dry_run=True)
    ],
) -> Response:
    """Say what would happen to a referral, without taking it."""
    only(request, *_SENDERS, what="try a referral")
    try:
        received = await _what_is_tried(request)
    except Invalid as refusal:
        return await _say(
            request, fhir.answers.dry_run(refusal.problems, verdict=None, clinic=request.runtime.clinic)
        )
    async with request.transaction() as tx:
        body = await use_cases.validate.run(request.ctx, tx, received)
        return await request.answer(tx, body)


@router.get("/fhir/Questionnaire/{id}")
async def read_questionnaire(
    id: str, request: Annotated[RequestContext, authorize("Questionnaire", "r", rows=_EVERYBODY)]
) -> Response:
    """Read the clinic's Questionnaire."""
    body = fhir.questionnaire.render()
    if id != body["id"]:
        raise NotFound(f"there is no Questionnaire {id}")
    return await _say(request, body)


@router.get("/fhir/Questionnaire")
@router.post("/fhir/Questionnaire/_search")
@computed.searched_by(_QUESTIONNAIRE_PARAMS)
async def search_questionnaires(
    request: Annotated[RequestContext, authorize("Questionnaire", "s", rows=_EVERYBODY)],
) -> Response:
    """Search the one Questionnaire by url, name or status."""
    asked = computed.read(request, resource_type="Questionnaire", known=_QUESTIONNAIRE_PARAMS)
    body = fhir.questionnaire.render()
    fits = all(str(body[name]) == value for name in _QUESTIONNAIRE_PARAMS for value in asked.values[name])
    async with request.transaction() as tx:
        return await request.answer(tx, computed.write(request, asked, [body] if fits else []))


async def _process(request: RequestContext, received: Received) -> Response:
    only(request, "referrer", what="send a message")
    message = fhir.messages.read(received)
    submission = None
    if message.request is not None and message.act in (Act.ADD, Act.UPDATE):
        submission = _submission(request, received, focus=message.request.index)

    async with request.transaction() as tx:
        body, referral = await use_cases.process_message.run(request.ctx, tx, message, submission=submission)
        return await request.answer(tx, body, about=referral)


def _submission(request: RequestContext, received: Received, *, focus: int | None = None) -> Submission:
    urls, clinic = request.ctx.urls, request.runtime.clinic
    submission = fhir.submission.read(received, clinic=clinic, urls=urls, focus=focus)
    return fhir.entry.with_sender(request.ctx, submission)


def _condition(request: RequestContext) -> str | None:
    """Read If-None-Exist; some clients write the type before it, some write it as the query of the POST.

    Raises NotSupported for a search that this door does not make.
    """
    asked = request.http.headers.get("if-none-exist", request.http.url.query)
    named = [pair for pair in parse_qsl(_WITH_TYPE.sub("", asked)) if pair[0] not in ("_format", "_pretty")]
    if not named and not request.http.headers.get("if-none-exist"):
        return None
    token = condition.one_value(named[0][1]) if len(named) == 1 and named[0][0] == "identifier" else ""
    if "|" in token:
        for part in filter(None, token.rsplit("|", 1)):
            if (text := indexed_text.wrong(part)) is not None:
                raise Invalid(text, expression="If-None-Exist")
        return token
    raise NotSupported("If-None-Exist is identifier=system|value here", expression="If-None-Exist")


def _located(receipt: Receipt) -> str:
    """Say where a referral was put: its first version, or the one that a correction made."""
    version = receipt.referral.version if receipt.outcome == "corrected" else 1
    return f"ServiceRequest/{receipt.referral.id}/_history/{version}"


async def _what_is_tried(request: RequestContext) -> Received:
    received = await request.resource("Bundle", "ServiceRequest", "Parameters")
    if received.resource_type != "Parameters":
        return received
    for tried in fhir.pieces.resources_in(request.body):
        return await check.receive(tried, allowed=("Bundle", "ServiceRequest"))
    raise Invalid("what is tried: a Bundle or a ServiceRequest", expression="Parameters.parameter.resource")


async def _say(request: RequestContext, body: dict[str, Any]) -> Response:
    async with request.transaction() as tx:
        return await request.answer(tx, body)
