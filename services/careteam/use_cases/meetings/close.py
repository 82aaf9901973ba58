"""The end of a meeting: closed by the chair, or by the clinic where nobody did or nobody came."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.models import CareTask, Meeting, Minutes
from services.careteam.states import CaseState, MeetingState
from services.careteam.use_cases import agenda
from services.careteam.use_cases.meetings.lead import become, live
from services.careteam.use_cases.meetings.schedule import MEETING_OVER
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog import careteam
from shared.fhir import store


async def close_meeting(ctx: Context, tx: Transaction, meeting: Meeting, *, by: str | None) -> None:
    """Close a locked meeting for its chair."""
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_become(meeting, MeetingState.CLOSED)
    await _end(ctx, tx, meeting, MeetingState.CLOSED)


async def meeting_is_over(ctx: Context, tx: Transaction, meeting_id: UUID, *, due_at: datetime) -> None:
    """End what nobody ended: a meeting that was not opened was not held; an open one is closed 12 h later."""
    meeting = await queries.meetings.locked(tx, meeting_id)
    if meeting is None:
        raise LookupError(f"meeting {meeting_id}")
    if meeting.state in (MeetingState.SCHEDULED, MeetingState.AGENDA_PUBLISHED):
        await _end(ctx, tx, meeting, MeetingState.NOT_HELD)
    elif meeting.state == MeetingState.OPEN and due_at < _at_the_latest(meeting):
        await timers.schedule(tx, kind=MEETING_OVER, ref=str(meeting.id), due=_at_the_latest(meeting))
    elif meeting.state == MeetingState.OPEN:
        await _end(ctx, tx, meeting, MeetingState.CLOSED)


async def _end(ctx: Context, tx: Transaction, meeting: Meeting, state: MeetingState) -> None:
    """Carry over what was not decided, write the minutes of what was held, and tell."""
    cases = [
        case
        for case in await queries.tasks.cases_of_meeting(tx, meeting.id)
        if case.state != CaseState.DROPPED
    ]
    undecided = live(cases)
    meeting.closed_at = ctx.at
    await become(ctx, tx, meeting, state)
    await agenda.move_to_next_meeting(ctx, tx, undecided, site=meeting.site)
    if state is MeetingState.CLOSED:
        await _write_minutes(ctx, tx, meeting, cases)
    agenda.tell(ctx, tx, careteam.MeetingClosed, meeting, carries=undecided)


async def _write_minutes(ctx: Context, tx: Transaction, meeting: Meeting, cases: Sequence[CareTask]) -> None:
    participants = await queries.meetings.participants(tx, meeting.id)
    minutes = Minutes(meeting_id=meeting.id, site=meeting.site, dated_at=ctx.at)
    rendered = fhir.meetings.minutes(
        ctx, meeting, cases=cases, attended=[one.practitioner for one in participants if one.attended]
    )
    await store.put(tx, minutes, rendered, at=ctx.at)


def _at_the_latest(meeting: Meeting) -> datetime:
    return meeting.ends_at + rules.meetings.CLOSE_BY_ITSELF_AFTER
