"""Show the calendar of a site by clinician and by room: visits, hours, absences, meetings, what is free."""

from collections.abc import Sequence
from datetime import date

from services.scheduling import queries, rules
from services.scheduling.models.calendar_days import CalendarVisit, SiteCalendar
from services.scheduling.models.rows import Appointment
from services.scheduling.models.spans import Span
from shared.clinic import Person, Room, Site
from shared.context import Context
from shared.db import Transaction


async def run(
    ctx: Context,
    tx: Transaction,
    days: Sequence[date],
    *,
    site: Site,
    people: Sequence[Person],
    rooms: Sequence[Room],
    practitioner: str | None,
    room: str | None,
) -> SiteCalendar:
    """Return these local days of these clinicians and rooms; `practitioner` and `room` narrow the visits."""
    window = Span(
        rules.calendar.local_day_start(days[0], site.zone), rules.calendar.local_day_end(days[-1], site.zone)
    )
    rows = await queries.calendar.appointments(
        tx, ctx.caller, site=site.id, window=window, practitioner=practitioner, room=room
    )
    visits = await _visits(tx, rows)
    keys = [rules.needs.person_key(person.id) for person in people]
    keys += [rules.needs.room_key(one.id) for one in rooms]
    taken = await queries.occupancy.taken(tx, keys, window=window, at=ctx.at)
    everybody = [person for person in ctx.clinic.people if person.site == site.id]
    opened = {day: rules.site_calendar.opening_hours(everybody, day, site=site) for day in days}
    of_people = []
    for person in people:
        mine = [visit for visit in visits if person.id in (visit.row.practitioner, *visit.row.colleagues)]
        each = [
            rules.site_calendar.day_of_person(person, day, site=site, visits=mine, taken=taken, now=ctx.at)
            for day in days
        ]
        of_people.append((person, each))
    of_rooms = []
    for one in rooms:
        here = [visit for visit in visits if visit.row.room == one.id]
        each = [
            rules.site_calendar.day_of_room(
                one, day, site=site, opened=opened[day], visits=here, taken=taken, now=ctx.at
            )
            for day in days
        ]
        of_rooms.append((one, each))
    return SiteCalendar(people=of_people, rooms=of_rooms, rows=rows)


async def _visits(tx: Transaction, rows: Sequence[Appointment]) -> list[CalendarVisit]:
    if not rows:
        return []
    referrals = await queries.board.referrals_of(tx, {row.referral_id for row in rows})
    people = await queries.board.people(tx, referrals.values())
    return [CalendarVisit(row=row, person=people[row.referral_id]) for row in rows]
