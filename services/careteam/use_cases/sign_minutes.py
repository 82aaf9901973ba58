"""Sign the minutes of a meeting."""

from services.careteam import fhir, queries, rules
from services.careteam.models.rows import Decision, Minutes
from services.careteam.states import MeetingState
from services.careteam.use_cases import load, record
from shared.context import Context
from shared.db import Transaction
from shared.events.catalog.careteam import MeetingMinutesSigned
from shared.fhir import store
from shared.fhir.elements import reference
from shared.reasons import Reason


async def run(ctx: Context, tx: Transaction, meeting_id: str) -> Minutes:
    """Sign the minutes of a meeting that was closed, for its chair."""
    by, meeting = load.person(ctx), await load.meeting(ctx, tx, meeting_id)
    rules.meetings.must_be_chair(meeting, practitioner=by)
    rules.meetings.move_meeting(meeting, MeetingState.MINUTES_SIGNED)
    minutes = await queries.meetings.minutes(tx, meeting.id)
    if minutes is None:
        raise LookupError(f"minutes of meeting {meeting.id}")
    minutes.status = "final"
    overlay = {"status": minutes.status, "attester": [fhir.meetings.attester(ctx)]}
    await record.change(ctx, tx, minutes, overlay=overlay)
    decision = Decision(target=str(minutes.id), recorded_at=ctx.at, meeting_id=meeting.id)
    target = reference("Composition", minutes.id)
    rendered = fhir.meetings.provenance(ctx, target=target, activity=Reason.of("minutes-signed"))
    await store.insert(tx, decision, rendered, at=ctx.at)
    await record.meeting(ctx, tx, meeting)
    await record.publish(ctx, tx, MeetingMinutesSigned, meeting, carries=[minutes])
    return minutes
