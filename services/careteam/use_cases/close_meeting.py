"""Close a meeting: by its chair, or by the clinic where nobody did or nobody came."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import CareTask, Meeting, Minutes
from services.careteam.states import CaseState, MeetingState
from services.careteam.use_cases import load, record
from services.careteam.use_cases.schedule_meeting import MEETING_OVER
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingClosed
from shared.fhir import store


async def run(ctx: Context, tx: Transaction, meeting_id: str) -> Meeting:
    """Close a meeting for its chair."""
    by, meeting = load.person(ctx), await load.meeting(ctx, tx, meeting_id)
    rules.meetings.must_be_chair(meeting, practitioner=by)
    await _end(ctx, tx, meeting, MeetingState.CLOSED)
    return meeting


async def when_over(ctx: Context, tx: Transaction, meeting_id: UUID, *, due_at: datetime) -> None:
    """End what nobody ended: a meeting that was not opened was not held; an open one is closed 12 h later."""
    meeting = await queries.meetings.locked(tx, meeting_id)
    if meeting is None:
        raise LookupError(f"meeting {meeting_id}")
    at_the_latest = meeting.ends_at + rules.meetings.CLOSE_BY_ITSELF_AFTER
    if meeting.state in (MeetingState.SCHEDULED, MeetingState.AGENDA_PUBLISHED):
        await _end(ctx, tx, meeting, MeetingState.NOT_HELD)
    elif meeting.state == MeetingState.OPEN and due_at < at_the_latest:
        await timers.schedule(tx, kind=MEETING_OVER, ref=str(meeting.id), due=at_the_latest)
    elif meeting.state == MeetingState.OPEN:
        await _end(ctx, tx, meeting, MeetingState.CLOSED)


async def _end(ctx: Context, tx: Transaction, meeting: Meeting, state: MeetingState) -> None:
    """Carry over what was not decided, write the minutes of what was held, and publish the end."""
    rules.meetings.move_meeting(meeting, state)
    meeting.closed_at = ctx.at
    cases = [
        case
        for case in await queries.tasks.cases_of_meeting(tx, meeting.id)
        if case.state != CaseState.DROPPED
    ]
    undecided = rules.meetings.live(cases)
    await record.meeting(ctx, tx, meeting)
    await _carry_over(ctx, tx, undecided, site=meeting.site)
    if state is MeetingState.CLOSED:
        await _write_minutes(ctx, tx, meeting, cases)
    await record.publish(ctx, tx, MeetingClosed, meeting, carries=undecided)


async def _carry_over(ctx: Context, tx: Transaction, cases: Sequence[CareTask], *, site: str) -> None:
    """Carry cases over to the site's next meeting, or to the one that will be scheduled next."""
    if not cases:
        return
    meeting = await queries.meetings.collecting(tx, site=site)
    for case in cases:
        case.meeting_id = case.position = None
        rules.meetings.move_case(case, CaseState.CARRIED_OVER)
    if meeting is not None:
        await record.put_on_agenda(tx, cases, of=meeting)
    await record.cases(ctx, tx, cases)
    if meeting is not None:
        await record.invite(ctx, tx, meeting, cases=cases)


async def _write_minutes(ctx: Context, tx: Transaction, meeting: Meeting, cases: Sequence[CareTask]) -> None:
    participants = await queries.meetings.participants(tx, meeting.id)
    attended = [participant.practitioner for participant in participants if participant.attended]
    minutes = Minutes(meeting_id=meeting.id, site=meeting.site, dated_at=ctx.at)
    rendered = fhir.meetings.minutes(ctx, meeting, cases=cases, attended=attended)
    await store.insert(tx, minutes, rendered, at=ctx.at)
