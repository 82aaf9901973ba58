"""Schedule a site's next case meeting: there is always one whose agenda is open."""

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Meeting, MeetingParticipant
from services.careteam.states import CaseState
from services.careteam.use_cases import record
from shared import timers
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingScheduled
from shared.fhir import store

CALENDAR = "meeting-calendar"
PUBLISH_AGENDA = "publish-agenda"
MEETING_OVER = "meeting-over"


async def start_calendar(ctx: Context, tx: Transaction) -> None:
    """Set the calendar timer of each site that has none; called at every start."""
    for site in ctx.clinic.sites:
        await timers.schedule_once(tx, kind=CALENDAR, ref=site.id, due=ctx.at)


async def run(ctx: Context, tx: Transaction, site_id: str) -> Meeting:
    """Put a site's next meeting on the calendar, with the cases that wait for one.

    The timer comes again when this meeting's agenda is published, so that new cases always find an agenda.
    """
    site = ctx.clinic.site(site_id)
    hour = rules.meetings.next_meeting(site, after=ctx.at)
    publish_at = hour.start - rules.meetings.AGENDA_BEFORE
    await timers.schedule(tx, kind=CALENDAR, ref=site_id, due=publish_at)
    known = await queries.meetings.starting_at(tx, site=site_id, start=hour.start)
    if known is not None:
        return known

    meeting = Meeting(site=site_id, starts_at=hour.start, ends_at=hour.end, chair=site.meeting.chair)
    chair = MeetingParticipant(meeting_id=meeting.id, practitioner=meeting.chair)
    await store.insert(tx, meeting, fhir.meetings.appointment(ctx, meeting, [chair]), at=ctx.at)
    await tx.insert(chair)
    await _take_waiting_cases(ctx, tx, meeting)
    await record.publish(ctx, tx, MeetingScheduled, meeting)
    await timers.schedule(tx, kind=PUBLISH_AGENDA, ref=str(meeting.id), due=publish_at)
    await timers.schedule(tx, kind=MEETING_OVER, ref=str(meeting.id), due=meeting.ends_at)
    return meeting


async def _take_waiting_cases(ctx: Context, tx: Transaction, meeting: Meeting) -> None:
    cases = await queries.tasks.waiting_cases(tx, site=meeting.site)
    await record.put_on_agenda(tx, cases, of=meeting)
    for case in cases:
        if case.state == CaseState.QUEUED:
            rules.meetings.move_case(case, CaseState.ON_AGENDA)
    if cases:
        await record.cases(ctx, tx, cases)
        await record.invite(ctx, tx, meeting, cases=cases)
