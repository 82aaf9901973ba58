"""Outcomes: answers in, scores out; and the questionnaires that are scored here."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import fhir, use_cases
from services.careteam.operations.teams import PATIENT_ROWS
from services.careteam.rules.scoring import Unscorable
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.use_cases.score import BeforeTheBaseline
from shared.errors import NotFound
from shared.http import computed
from shared.http.authorize import authorize, only
from shared.http.computed import ComputedParam
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()
_PUBLIC = "the questionnaires are the same for every caller"
_QUESTIONNAIRE_PARAMS = {"url": ComputedParam(kind="uri", text="its canonical URL")}


@router.post("/fhir/Observation", responses=refuses(Unscorable, BeforeTheBaseline, TeamHasEnded))
async def record_rating(
    request: Annotated[RequestContext, authorize("Observation", "c", rows=PATIENT_ROWS)],
) -> Response:
    """Record an answer to the 0-10 pain rating."""
    only(request, "clinician", what="record an outcome")
    performer = use_cases.load.person(request.ctx)
    received = await request.resource("Observation")
    async with request.transaction() as tx:
        team = await use_cases.load.team_of_patient(request.ctx, tx, received.data, member="subject")
        outcome = await use_cases.record_rating.run(request.ctx, tx, team, received=received, by=performer)
        location = f"Observation/{outcome.id}/_history/{outcome.version}"
        return await request.answer(tx, outcome.body, status=201, about=outcome, location=location)


@router.post("/fhir/QuestionnaireResponse", responses=refuses(Unscorable, BeforeTheBaseline, TeamHasEnded))
async def record_answers(
    request: Annotated[RequestContext, authorize("QuestionnaireResponse", "c", rows=PATIENT_ROWS)],
) -> Response:
    """Record the answered Oswestry or STarT Back; the score becomes an Observation derived from it."""
    only(request, "clinician", what="record an outcome")
    author = use_cases.load.person(request.ctx)
    received = await request.resource("QuestionnaireResponse")
    async with request.transaction() as tx:
        team = await use_cases.load.team_of_patient(request.ctx, tx, received.data, member="subject")
        screening = fhir.outcomes.questionnaire_of(received.data) == fhir.questionnaire.START_BACK_URL
        recorded = use_cases.record_screening if screening else use_cases.record_answers
        answers = await recorded.run(request.ctx, tx, team, received=received, by=author)
        location = f"QuestionnaireResponse/{answers.id}/_history/{answers.version}"
        return await request.answer(tx, answers.body, status=201, about=answers, location=location)


@router.get("/fhir/Questionnaire/{id}")
async def read_questionnaire(
    id: str, request: Annotated[RequestContext, authorize("Questionnaire", "r", rows=_PUBLIC)]
) -> Response:
    """Read a questionnaire that is scored or read here."""
    async with request.transaction() as tx:
        for questionnaire in fhir.questionnaire.questionnaires():
            if questionnaire["id"] == id:
                return await request.answer(tx, questionnaire)
        raise NotFound("there is no such Questionnaire")


@router.get("/fhir/Questionnaire")
@router.post("/fhir/Questionnaire/_search")
@computed.searched_by(_QUESTIONNAIRE_PARAMS)
async def search_questionnaires(
    request: Annotated[RequestContext, authorize("Questionnaire", "s", rows=_PUBLIC)],
) -> Response:
    """Find the questionnaires by their canonical address."""
    asked = computed.read(request, resource_type="Questionnaire", known=_QUESTIONNAIRE_PARAMS)
    all_of_them = fhir.questionnaire.questionnaires()
    found = [one for one in all_of_them if asked.first("url") in (None, one["url"])]
    async with request.transaction() as tx:
        return await request.answer(tx, computed.write(request, asked, found))
