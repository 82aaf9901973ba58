"""What the chair of a meeting does."""

from functools import partial

from services.careteam import queries, texts, use_cases
from services.careteam.fhir.request_parsing import row_id
from services.careteam.models.rows import Meeting
from services.careteam.rules import acts
from services.careteam.rules.meetings import (
    AlreadyDecided,
    NoQuorum,
    NotInThisState,
    NotOnThisAgenda,
    NotTheChair,
)
from services.careteam.rules.teams import TeamHasEnded
from services.careteam.states import MeetingState
from shared.context import Context
from shared.db import Transaction
from shared.operations import Operation, OperationTable, Parameter, Subject

_by_chair = partial(
    Operation[Meeting],
    resource_type="Appointment",
    parties=("clinician",),
    interaction="u",
    rows="meetings that the clinician takes part in; only the chair acts",
    refuses=(NotTheChair, NotInThisState),
)
_PERSON = partial(
    Parameter, type="Reference", max="*", text="A person of the site.", targets=("Practitioner",)
)
_DECISION = (
    Parameter(name="case", type="Reference", min=1, text="The case that is decided.", targets=("Task",)),
    Parameter(name="decision", min=1, text="What was decided."),
    Parameter(
        name="action",
        type="Element",
        max="*",
        text="What is to be done.",
        parts=(
            Parameter(name="owner", type="Reference", min=1, text="Who does it.", targets=("Practitioner",)),
            Parameter(name="description", min=1, text="What it is."),
            Parameter(name="due", type="date", min=1, text="By which day."),
        ),
    ),
    Parameter(name="revise-plan", type="boolean", text="Whether the plan is to be revised."),
)


async def _meeting(ctx: Context, tx: Transaction, meeting_id: str) -> Subject[Meeting] | None:
    row = await queries.meetings.visible(tx, row_id(meeting_id), by=ctx.caller)
    return None if row is None else Subject(row=row, facts=row)


MEETINGS = OperationTable[Meeting](
    resource_type="Appointment",
    rows=queries.scope.MEETING_ROWS,
    load=_meeting,
    sentences=texts.REASONS,
    operations=(
        _by_chair(
            name="open",
            text="Open a meeting: who came.",
            parameters=(
                Parameter(
                    name="attended",
                    type="Reference",
                    min=1,
                    max="*",
                    text="A person of the site.",
                    targets=("Practitioner",),
                ),
            ),
            when=partial(acts.may_lead, to=MeetingState.OPEN),
            run=lambda ctx, tx, given: use_cases.open_meeting.run(ctx, tx, given.id, asked=given.values),
        ),
        _by_chair(
            name="record-attendance",
            text="Record who came to an open meeting late, and who left before its end.",
            parameters=(_PERSON(name="arrived"), _PERSON(name="left")),
            when=acts.may_decide,
            run=lambda ctx, tx, given: use_cases.record_attendance.run(ctx, tx, given.id, asked=given.values),
        ),
        _by_chair(
            name="decide",
            text="Decide a case while the meeting is open.",
            parameters=_DECISION,
            returns="Task",
            refuses=(NotTheChair, NotInThisState, NotOnThisAgenda, AlreadyDecided, NoQuorum, TeamHasEnded),
            when=acts.may_decide,
            run=lambda ctx, tx, given: use_cases.decide_case.run(ctx, tx, given.id, said=given.values),
        ),
        _by_chair(
            name="close",
            text="Close a meeting; what was not decided is carried over.",
            takes=(),
            when=partial(acts.may_lead, to=MeetingState.CLOSED),
            run=lambda ctx, tx, given: use_cases.close_meeting.run(ctx, tx, given.id),
        ),
        _by_chair(
            name="sign-minutes",
            text="Sign the minutes of a closed meeting.",
            takes=(),
            returns="Composition",
            when=partial(acts.may_lead, to=MeetingState.MINUTES_SIGNED),
            run=lambda ctx, tx, given: use_cases.sign_minutes.run(ctx, tx, given.id),
        ),
    ),
)
