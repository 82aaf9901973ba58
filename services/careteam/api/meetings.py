"""What the chair of a meeting does."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from services.careteam import fhir, use_cases
from services.careteam.api.received import person
from shared.http.call import Call, only, requires
from shared.http.route import CallRoute

router = APIRouter(route_class=CallRoute)
_ROWS = "meetings that the clinician takes part in; only the chair acts"


@router.post("/fhir/Appointment/{id}/$open")
async def open_meeting(id: str, call: Call = Depends(requires("Appointment", "u", rows=_ROWS))) -> Response:
    """Open a meeting: `attended` (a Practitioner, repeated) says who came."""
    only(call, "clinician", what="lead a meeting")
    chair = person(call)
    asked = await call.parameters()
    async with call.transaction() as tx:
        meeting = await use_cases.load.meeting(call.ctx, tx, id)
        await use_cases.meetings.open_meeting(call.ctx, tx, meeting, asked=asked, by=chair)
        return await call.answer(tx, meeting.body, about=meeting)


@router.post("/fhir/Appointment/{id}/$decide")
async def decide_case(id: str, call: Call = Depends(requires("Appointment", "u", rows=_ROWS))) -> Response:
    """Decide a case: `case`, `decision`, `action` (owner, description, due; repeated), `revise-plan`."""
    only(call, "clinician", what="lead a meeting")
    chair = person(call)
    site = call.ctx.clinic.person(chair).site
    asked = fhir.meetings.asked_decision(await call.parameters(), zone=call.ctx.clinic.site(site).zone)
    async with call.transaction() as tx:
        meeting, case, team = await use_cases.load.case_of_meeting(call.ctx, tx, id, asked.case_id)
        await use_cases.meetings.decide_case(call.ctx, tx, meeting, case, team, asked=asked, by=chair)
        return await call.answer(tx, case.body, about=case)


@router.post("/fhir/Appointment/{id}/$close")
async def close_meeting(id: str, call: Call = Depends(requires("Appointment", "u", rows=_ROWS))) -> Response:
    """Close a meeting; what was not decided is carried over."""
    only(call, "clinician", what="lead a meeting")
    chair = person(call)
    async with call.transaction() as tx:
        meeting = await use_cases.load.meeting(call.ctx, tx, id)
        await use_cases.meetings.close_meeting(call.ctx, tx, meeting, by=chair)
        return await call.answer(tx, meeting.body, about=meeting)


@router.post("/fhir/Appointment/{id}/$sign-minutes")
async def sign_minutes(id: str, call: Call = Depends(requires("Appointment", "u", rows=_ROWS))) -> Response:
    """Sign the minutes of a closed meeting; answers the Composition."""
    only(call, "clinician", what="lead a meeting")
    chair = person(call)
    async with call.transaction() as tx:
        meeting = await use_cases.load.meeting(call.ctx, tx, id)
        minutes = await use_cases.meetings.sign_minutes(call.ctx, tx, meeting, by=chair)
        return await call.answer(tx, minutes.body, about=minutes)
