"""The clinic's calendar of case meetings: there is always one whose agenda is open."""

from services.careteam import queries, rules
from services.careteam.models import Meeting, MeetingParticipant
from services.careteam.settings import Settings
from services.careteam.states import CaseState
from services.careteam.use_cases import agenda
from shared import timers
from shared.act import Act
from shared.db import Transaction
from shared.events.catalog import careteam

CALENDAR = "meeting-calendar"
PUBLISH_AGENDA = "publish-agenda"
MEETING_OVER = "meeting-over"


async def start_calendar(tx: Transaction, *, settings: Settings, act: Act) -> None:
    """Set the calendar timer of each site that has none; called at every start."""
    for site in settings.clinic.sites:
        await timers.schedule_once(tx, kind=CALENDAR, ref=site.id, due=act.at)


async def schedule_next_meeting(tx: Transaction, site_id: str, *, settings: Settings, act: Act) -> Meeting:
    """Put a site's next meeting on the calendar, with the cases that wait for one.

    The timer comes again when this meeting's agenda is published, so that new cases always find an agenda.
    """
    site = settings.clinic.site(site_id)
    hour = rules.meetings.next_meeting(site, after=act.at)
    publish_at = hour.start - rules.meetings.AGENDA_BEFORE
    await timers.schedule(tx, kind=CALENDAR, ref=site_id, due=publish_at)
    known = await queries.meetings.starting_at(tx, site=site_id, start=hour.start)
    if known is not None:
        return known

    meeting = Meeting(site=site_id, starts_at=hour.start, ends_at=hour.end, chair=site.meeting.chair)
    chair = MeetingParticipant(meeting_id=meeting.id, practitioner=meeting.chair)
    await agenda.lay_meeting(tx, meeting, [chair], settings=settings, act=act)
    tx.add(chair)
    await _take_waiting_cases(tx, meeting, settings=settings, act=act)
    agenda.tell(tx, careteam.MEETING_SCHEDULED, meeting, act=act)
    await timers.schedule(tx, kind=PUBLISH_AGENDA, ref=str(meeting.id), due=publish_at)
    await timers.schedule(tx, kind=MEETING_OVER, ref=str(meeting.id), due=meeting.ends_at)
    return meeting


async def _take_waiting_cases(tx: Transaction, meeting: Meeting, *, settings: Settings, act: Act) -> None:
    teams = await queries.meetings.active_teams(tx, site=meeting.site)
    cases = await queries.tasks.waiting_cases(tx, teams)
    for case in cases:
        case.meeting_id = meeting.id
        if case.state == CaseState.QUEUED:
            await agenda.become(tx, case, CaseState.ON_AGENDA, act=act)
        else:
            await agenda.lay_state(tx, case, act=act)
    if cases:
        await agenda.invite(tx, meeting, cases=cases, settings=settings, act=act)
