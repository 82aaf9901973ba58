"""Record who came to an open meeting late, and who left it before its end."""

from collections.abc import Mapping
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Meeting, MeetingParticipant
from services.careteam.use_cases import load, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingAttendanceChanged


async def run(ctx: Context, tx: Transaction, meeting_id: str, *, asked: Mapping[str, Any]) -> Meeting:
    """Record attendance for the chair; where nothing differs from what is known, nothing is written.

    The quorum of a case is of those who are there when it is decided; who left stays in the minutes.
    """
    by, meeting = load.person(ctx), await load.meeting(ctx, tx, meeting_id)
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.must_be_open(meeting)
    known = {one.practitioner: one for one in await queries.meetings.participants(tx, meeting.id)}
    present = {person for person, one in known.items() if one.is_present}
    change = fhir.meetings.asked_attendance_change(ctx, asked, site=meeting.site, present=present)
    came = [
        _came(ctx, meeting, known.get(person), person) for person in change.arrived if person not in present
    ]
    left = [known[person] for person in change.left]
    for one in left:
        one.left_at = ctx.at
    if came or left:
        await tx.upsert(*came, *left)
        await record.meeting(ctx, tx, meeting)
        await record.publish(ctx, tx, MeetingAttendanceChanged, meeting)
    return meeting


def _came(
    ctx: Context, meeting: Meeting, known: MeetingParticipant | None, person: str
) -> MeetingParticipant:
    """Return who came; whoever left and comes again came when they came first."""
    came = known or MeetingParticipant(meeting_id=meeting.id, practitioner=person)
    came.came_at = came.came_at or ctx.at
    came.attended, came.left_at = True, None
    return came
