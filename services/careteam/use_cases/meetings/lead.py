"""Publishing the agenda, opening the meeting, signing its minutes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.models import CareTask, Decision, Meeting, MeetingParticipant, Minutes
from services.careteam.states import LIVE_CASES, MeetingState
from services.careteam.use_cases import agenda
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.fhir import store


async def publish_agenda(ctx: Context, tx: Transaction, meeting_id: UUID) -> None:
    """Close the agenda of a meeting and tell its participants, a day before."""
    meeting = await queries.meetings.locked(tx, meeting_id)
    if meeting is None or meeting.state != MeetingState.SCHEDULED:
        return
    cases = live(await queries.tasks.cases_of_meeting(tx, meeting.id))
    await agenda.invite(ctx, tx, meeting, cases=cases)
    await become(ctx, tx, meeting, MeetingState.AGENDA_PUBLISHED)
    agenda.tell(ctx, tx, careteam.MeetingAgendaPublished, meeting, carries=cases)


async def open_meeting(
    ctx: Context, tx: Transaction, meeting: Meeting, *, asked: Mapping[str, Any], by: str
) -> None:
    """Open a locked meeting with those who came."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.OPEN)
    attended = fhir.meetings.asked_attendance(ctx, asked, site=meeting.site)
    invited = {one.practitioner: one for one in await queries.meetings.participants(tx, meeting.id)}
    for person in attended:
        if person not in invited:
            invited[person] = MeetingParticipant(meeting_id=meeting.id, practitioner=person)
            tx.add(invited[person])
        invited[person].attended = True
    meeting.opened_at = ctx.at
    await tx.flush()
    await become(ctx, tx, meeting, MeetingState.OPEN)


async def sign_minutes(ctx: Context, tx: Transaction, meeting: Meeting, *, by: str) -> Minutes:
    """Sign the minutes of a locked meeting that was closed."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.MINUTES_SIGNED)
    minutes = await queries.meetings.minutes(tx, meeting.id)
    if minutes is None:
        raise LookupError(f"minutes of meeting {meeting.id}")
    minutes.status = "final"
    signed = {
        "mode": "legal",
        "time": fhir.elements.instant(ctx.at),
        "party": {"reference": ctx.actor.reference},
    }
    overlay = {"status": minutes.status, "attester": [signed]}
    await store.put(tx, minutes, minutes.body, at=ctx.at, overlay=overlay)
    target = fhir.elements.reference("Composition", minutes.id)
    proof = Decision(target=str(minutes.id), recorded_at=ctx.at, meeting_id=meeting.id)
    rendered = fhir.meetings.provenance(ctx, target=target, activity="minutes signed")
    await store.put(tx, proof, rendered, at=ctx.at)
    await become(ctx, tx, meeting, MeetingState.MINUTES_SIGNED)
    agenda.tell(ctx, tx, careteam.MeetingMinutesSigned, meeting, carries=[minutes])
    return minutes


async def become(ctx: Context, tx: Transaction, meeting: Meeting, state: MeetingState) -> None:
    """Give a locked meeting its next state, as a new version."""
    rules.meetings.must_become(meeting, state)
    meeting.state = state
    meeting.status = fhir.meetings.meeting_status(state)
    participants = await queries.meetings.participants(tx, meeting.id)
    await agenda.lay_meeting(ctx, tx, meeting, participants)


def live(cases: Sequence[CareTask]) -> list[CareTask]:
    """The cases of an agenda that still wait for a decision."""
    return [case for case in cases if case.state in LIVE_CASES]
