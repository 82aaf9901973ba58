"""Publishing the agenda, opening the meeting, signing its minutes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.models import CareTask, Decision, Meeting, MeetingParticipant, Minutes
from services.careteam.settings import Settings
from services.careteam.states import LIVE_CASES, MeetingState
from services.careteam.use_cases import agenda
from shared.act import Act
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.fhir import store


async def publish_agenda(tx: Transaction, meeting_id: UUID, *, settings: Settings, act: Act) -> None:
    """Close the agenda of a meeting and tell its participants, a day before."""
    meeting = await queries.meetings.locked(tx, meeting_id)
    if meeting is None or meeting.state != MeetingState.SCHEDULED:
        return
    cases = live(await queries.tasks.cases_of_meeting(tx, meeting.id))
    await agenda.invite(tx, meeting, cases=cases, settings=settings, act=act)
    await become(tx, meeting, MeetingState.AGENDA_PUBLISHED, settings=settings, act=act)
    agenda.tell(tx, careteam.MEETING_AGENDA_PUBLISHED, meeting, carries=cases, act=act)


async def open_meeting(
    tx: Transaction,
    meeting: Meeting,
    *,
    asked: Mapping[str, Any],
    by: str,
    settings: Settings,
    act: Act,
) -> None:
    """Open a locked meeting with those who came."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.OPEN)
    attended = fhir.meetings.asked_attendance(asked, settings=settings, site=meeting.site)
    invited = {one.practitioner: one for one in await queries.meetings.participants(tx, meeting.id)}
    for person in attended:
        if person not in invited:
            invited[person] = MeetingParticipant(meeting_id=meeting.id, practitioner=person)
            tx.add(invited[person])
        invited[person].attended = True
    meeting.opened_at = act.at
    await tx.flush()
    await become(tx, meeting, MeetingState.OPEN, settings=settings, act=act)


async def sign_minutes(
    tx: Transaction, meeting: Meeting, *, by: str, settings: Settings, act: Act
) -> Minutes:
    """Sign the minutes of a locked meeting that was closed."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.MINUTES_SIGNED)
    minutes = await queries.meetings.minutes(tx, meeting.id)
    if minutes is None:
        raise LookupError(f"minutes of meeting {meeting.id}")
    minutes.status = "final"
    signed = {
        "mode": "legal",
        "time": fhir.elements.instant(act.at),
        "party": {"reference": act.actor.reference},
    }
    overlay = {"status": minutes.status, "attester": [signed]}
    await store.put(tx, minutes, minutes.body, at=act.at, overlay=overlay)
    target = fhir.elements.reference("Composition", minutes.id)
    proof = Decision(target=str(minutes.id), recorded_at=act.at, meeting_id=meeting.id)
    rendered = fhir.meetings.provenance(target=target, activity="minutes signed", act=act)
    await store.put(tx, proof, rendered, at=act.at)
    await become(tx, meeting, MeetingState.MINUTES_SIGNED, settings=settings, act=act)
    agenda.tell(tx, careteam.MEETING_MINUTES_SIGNED, meeting, carries=[minutes], act=act)
    return minutes


async def become(
    tx: Transaction, meeting: Meeting, state: MeetingState, *, settings: Settings, act: Act
) -> None:
    """Give a locked meeting its next state, as a new version."""
    rules.meetings.must_become(meeting, state)
    meeting.state = state
    meeting.status = fhir.meetings.meeting_status(state)
    participants = await queries.meetings.participants(tx, meeting.id)
    await agenda.lay_meeting(tx, meeting, participants, settings=settings, act=act)


def live(cases: Sequence[CareTask]) -> list[CareTask]:
    """The cases of an agenda that still wait for a decision."""
    return [case for case in cases if case.state in LIVE_CASES]
