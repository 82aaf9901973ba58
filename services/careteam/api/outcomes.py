"""Outcomes: answers in, scores out; and the questionnaire that is scored here."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import fhir, use_cases
from services.careteam.api.received import person
from shared.errors import NotFound, NotSupported
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)
_ROWS = "patients of the clinician's own teams"
_PUBLIC = "the questionnaire is the same for every caller"


@router.post("/fhir/Observation")
async def record_rating(call: Call = Depends(requires("Observation", "c", rows=_ROWS))) -> Response:
    """Record an answer to the 0-10 pain rating."""
    only(call, "clinician", what="record an outcome")
    performer = person(call)
    received = await call.resource("Observation")
    async with call.transaction() as tx:
        team = await use_cases.load.team_of_patient(call.ctx, tx, received.data, member="subject")
        outcome = await use_cases.outcomes.record_rating(call.ctx, tx, team, received=received, by=performer)
        location = f"Observation/{outcome.id}/_history/{outcome.version}"
        return await call.answer(tx, outcome.body, status=201, about=outcome, location=location)


@router.post("/fhir/QuestionnaireResponse")
async def record_answers(
    call: Call = Depends(requires("QuestionnaireResponse", "c", rows=_ROWS)),
) -> Response:
    """Record the answered Oswestry sections; the score becomes an Observation derived from them."""
    only(call, "clinician", what="record an outcome")
    author = person(call)
    received = await call.resource("QuestionnaireResponse")
    async with call.transaction() as tx:
        team = await use_cases.load.team_of_patient(call.ctx, tx, received.data, member="subject")
        answers = await use_cases.outcomes.record_answers(call.ctx, tx, team, received=received, by=author)
        location = f"QuestionnaireResponse/{answers.id}/_history/{answers.version}"
        return await call.answer(tx, answers.body, status=201, about=answers, location=location)


@router.get("/fhir/Questionnaire/{id}")
async def read_questionnaire(
    id: str, call: Call = Depends(requires("Questionnaire", "r", rows=_PUBLIC))
) -> Response:
    """Read the questionnaire that is scored here."""
    async with call.transaction() as tx:
        if id != fhir.outcomes.QUESTIONNAIRE_ID:
            raise NotFound("there is no such Questionnaire")
        return await call.answer(tx, fhir.outcomes.questionnaire())


@router.get("/fhir/Questionnaire")
async def search_questionnaires(
    call: Call = Depends(requires("Questionnaire", "s", rows=_PUBLIC)),
) -> Response:
    """Find the questionnaire by its canonical address."""
    unknown = [name for name in call.query if name != "url"]
    if unknown:
        raise NotSupported(f"search knows url, not {', '.join(unknown)}")
    questionnaire = fhir.outcomes.questionnaire()
    found = [questionnaire] if call.query.get("url", questionnaire["url"]) == questionnaire["url"] else []
    base = f"{call.runtime.fhir_base}/Questionnaire"
    entries = [
        {"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found
    ]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    async with call.transaction() as tx:
        return await call.answer(tx, bundle | ({"entry": entries} if entries else {}))
