"""Publish the agenda of a meeting, a day before."""

from uuid import UUID

from services.careteam import queries, rules
from services.careteam.states import MeetingState
from services.careteam.use_cases import record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingAgendaPublished


async def run(ctx: Context, tx: Transaction, meeting_id: UUID) -> None:
    """Close the agenda of a meeting and publish it to its participants."""
    meeting = await queries.meetings.locked(tx, meeting_id)
    if meeting is None or meeting.state != MeetingState.SCHEDULED:
        return
    cases = rules.meetings.live(await queries.tasks.cases_of_meeting(tx, meeting.id))
    rules.meetings.move_meeting(meeting, MeetingState.AGENDA_PUBLISHED)
    await record.invite(ctx, tx, meeting, cases=cases)
    await record.publish(ctx, tx, MeetingAgendaPublished, meeting, carries=cases)
