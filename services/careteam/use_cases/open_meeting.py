"""Open a meeting with those who came."""

from collections.abc import Mapping
from typing import Any

from services.careteam import fhir, rules
from services.careteam.models.rows import Meeting, MeetingParticipant
from services.careteam.states import MeetingState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction


async def run(ctx: Context, tx: Transaction, meeting: Meeting, *, asked: Mapping[str, Any], by: str) -> None:
    """Open a locked meeting for its chair."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.OPEN)
    attended = fhir.meetings.asked_attendance(ctx, asked, site=meeting.site)
    came = [
        MeetingParticipant(meeting_id=meeting.id, practitioner=person, attended=True) for person in attended
    ]
    await tx.upsert(*came)
    meeting.state, meeting.opened_at = MeetingState.OPEN, ctx.at
    await record.meeting(ctx, tx, meeting)
