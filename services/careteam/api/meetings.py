"""What the chair of a meeting does."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from services.careteam import fhir, use_cases
from services.careteam.api.request_parsing import person
from services.careteam.rules.meetings import (
    AlreadyDecided,
    NoQuorum,
    NotInThisState,
    NotOnThisAgenda,
    NotTheChair,
)
from services.careteam.rules.teams import TeamHasEnded
from shared.http.authorize import authorize, only
from shared.http.request_context import RequestContext
from shared.http.responses import refuses

router = APIRouter()
_ROWS = "meetings that the clinician takes part in; only the chair acts"


@router.post("/fhir/Appointment/{id}/$open", responses=refuses(NotTheChair, NotInThisState))
async def open_meeting(
    id: str, request: Annotated[RequestContext, authorize("Appointment", "u", rows=_ROWS)]
) -> Response:
    """Open a meeting: `attended` (a Practitioner, repeated) says who came."""
    chair = _chair(request)
    asked = await request.parameters()
    async with request.transaction() as tx:
        meeting = await use_cases.load.meeting(request.ctx, tx, id)
        await use_cases.open_meeting.run(request.ctx, tx, meeting, asked=asked, by=chair)
        return await request.answer(tx, meeting.body, about=meeting)


@router.post(
    "/fhir/Appointment/{id}/$decide",
    responses=refuses(NotTheChair, NotInThisState, NotOnThisAgenda, AlreadyDecided, NoQuorum, TeamHasEnded),
)
async def decide_case(
    id: str, request: Annotated[RequestContext, authorize("Appointment", "u", rows=_ROWS)]
) -> Response:
    """Decide a case: `case`, `decision`, `action` (owner, description, due; repeated), `revise-plan`."""
    chair = _chair(request)
    site = request.ctx.clinic.person(chair).site
    asked = fhir.meetings.asked_decision(await request.parameters(), zone=request.ctx.clinic.site(site).zone)
    async with request.transaction() as tx:
        meeting, case, team = await use_cases.load.case_of_meeting(request.ctx, tx, id, asked.case_id)
        await use_cases.decide_case.run(request.ctx, tx, meeting, case, team, asked=asked, by=chair)
        return await request.answer(tx, case.body, about=case)


@router.post("/fhir/Appointment/{id}/$close", responses=refuses(NotTheChair, NotInThisState))
async def close_meeting(
    id: str, request: Annotated[RequestContext, authorize("Appointment", "u", rows=_ROWS)]
) -> Response:
    """Close a meeting; what was not decided is carried over."""
    chair = _chair(request)
    async with request.transaction() as tx:
        meeting = await use_cases.load.meeting(request.ctx, tx, id)
        await use_cases.close_meeting.run(request.ctx, tx, meeting, by=chair)
        return await request.answer(tx, meeting.body, about=meeting)


@router.post("/fhir/Appointment/{id}/$sign-minutes", responses=refuses(NotTheChair, NotInThisState))
async def sign_minutes(
    id: str, request: Annotated[RequestContext, authorize("Appointment", "u", rows=_ROWS)]
) -> Response:
    """Sign the minutes of a closed meeting; answers the Composition."""
    chair = _chair(request)
    async with request.transaction() as tx:
        meeting = await use_cases.load.meeting(request.ctx, tx, id)
        minutes = await use_cases.sign_minutes.run(request.ctx, tx, meeting, by=chair)
        return await request.answer(tx, minutes.body, about=minutes)


def _chair(request: RequestContext) -> str:
    only(request, "clinician", what="lead a meeting")
    return person(request)
