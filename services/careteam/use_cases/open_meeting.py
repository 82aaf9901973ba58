"""Open a meeting with those who came."""

from collections.abc import Mapping
from typing import Any

from services.careteam import fhir, rules
from services.careteam.models.rows import Meeting, MeetingParticipant
from services.careteam.states import MeetingState
from services.careteam.use_cases import load, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingOpened


async def run(ctx: Context, tx: Transaction, meeting_id: str, *, asked: Mapping[str, Any]) -> Meeting:
    """Open a meeting for its chair."""
    by, meeting = load.person(ctx), await load.meeting(ctx, tx, meeting_id)
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.OPEN)
    attended = fhir.meetings.asked_attendance(ctx, asked, site=meeting.site)
    came = [
        MeetingParticipant(meeting_id=meeting.id, practitioner=person, attended=True, came_at=ctx.at)
        for person in attended
    ]
    await tx.upsert(*came)
    meeting.state, meeting.opened_at = MeetingState.OPEN, ctx.at
    await record.meeting(ctx, tx, meeting)
    await record.publish(ctx, tx, MeetingOpened, meeting)
    return meeting
