"""Putting a patient's case on the next agenda; a case waits there once, with all its reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.tasks import CaseReason
from services.careteam.models import CareTask, Meeting, MeetingParticipant, Team
from services.careteam.states import CaseState
from shared.context import Context
from shared.db import ResourceRow, Transaction
from shared.errors import Conflict
from shared.events.catalog import DomainEvent
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode


class AlreadyOnTheAgenda(Conflict):
    """The patient's case waits for a meeting already."""


async def bring_case(
    ctx: Context, tx: Transaction, team: Team, *, asked: Mapping[str, Any], requester: str
) -> CareTask:
    """Put the case that a member brings on the next agenda of a locked team's site."""
    findings = Findings()
    text = fhir.tasks.asked_case_text(asked, findings=findings)
    findings.refuse()
    if await queries.tasks.live_case(tx, team.id) is not None:
        raise AlreadyOnTheAgenda(
            "the case of this patient waits for a meeting already", expression="Task.for"
        )
    return await put_on_agenda(ctx, tx, team, reason=CaseReason.REQUESTED, text=text, requester=requester)


async def put_on_agenda(
    ctx: Context, tx: Transaction, team: Team, *, reason: CaseReason, text: str, requester: str | None = None
) -> CareTask:
    """Put the case of a locked team on its site's next agenda, or add the reason to where it waits
    already.
    """
    case = await queries.tasks.live_case(tx, team.id)
    if case is not None:
        more = fhir.tasks.with_reason(case.body, reason=reason, text=text)
        if more is not None:
            await store.put(tx, case, case.body, at=ctx.at, overlay=more)
        return case
    meeting = await queries.meetings.collecting(tx, site=team.site)
    case = CareTask(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        code=TaskCode.AGENDA_ITEM,
        state=CaseState.QUEUED if meeting is None else CaseState.ON_AGENDA,
        status=fhir.tasks.case_status(CaseState.QUEUED),
        owner=ctx.clinic.site(team.site).meeting.chair,
        authored_at=ctx.at,
        meeting_id=None if meeting is None else meeting.id,
    )
    rendered = fhir.tasks.case(ctx, case, reason=reason, text=text, requester=requester)
    await store.put(tx, case, rendered, at=ctx.at)
    if meeting is not None:
        await invite(ctx, tx, meeting, cases=[case])
    return case


async def move_to_next_meeting(
    ctx: Context, tx: Transaction, cases: Sequence[CareTask], *, site: str
) -> None:
    """Carry cases over to the site's next meeting, or to the one that will be scheduled next."""
    meeting = await queries.meetings.collecting(tx, site=site)
    for case in cases:
        case.meeting_id = None if meeting is None else meeting.id
        await become(ctx, tx, case, CaseState.CARRIED_OVER)
    if meeting is not None and cases:
        await invite(ctx, tx, meeting, cases=cases)


async def invite(ctx: Context, tx: Transaction, meeting: Meeting, *, cases: Sequence[CareTask]) -> None:
    """Invite to a locked meeting whoever is in the teams of these cases and not yet invited."""
    invited = list(await queries.meetings.participants(tx, meeting.id))
    known = {one.practitioner for one in invited}
    for case in cases:
        for member in await queries.teams.members(tx, case.team_id):
            if member.left_at is None and member.practitioner not in known:
                known.add(member.practitioner)
                invited.append(MeetingParticipant(meeting_id=meeting.id, practitioner=member.practitioner))
                tx.add(invited[-1])
    await lay_meeting(ctx, tx, meeting, invited)


async def become(
    ctx: Context,
    tx: Transaction,
    case: CareTask,
    state: CaseState,
    *,
    more: fhir.elements.Resource | None = None,
) -> None:
    """Give a locked case its next state; raises NotInThisState where its life cycle does not lead there."""
    rules.meetings.case_must_become(case, state)
    case.state = state
    await lay_state(ctx, tx, case, more=more)


async def lay_state(
    ctx: Context, tx: Transaction, case: CareTask, *, more: fhir.elements.Resource | None = None
) -> None:
    """Write a case's state and place into its resource, as a new version."""
    case.status = fhir.tasks.case_status(CaseState(case.state))
    overlay = fhir.tasks.case_overlay(case, at=ctx.at) | (more or {})
    await store.put(tx, case, case.body, at=ctx.at, overlay=overlay)


async def lay_meeting(
    ctx: Context, tx: Transaction, meeting: Meeting, participants: Sequence[MeetingParticipant]
) -> None:
    """Write a meeting's state into its resource, as a new version."""
    rendered = fhir.meetings.appointment(ctx, meeting, participants)
    await store.put(tx, meeting, rendered, at=ctx.at)


def tell(
    ctx: Context,
    tx: Transaction,
    event: type[DomainEvent],
    meeting: Meeting,
    *,
    carries: Sequence[ResourceRow] = (),
) -> None:
    """Publish what happened to a meeting; it concerns several patients, so the meeting itself is the key."""
    publishing.collect(
        tx,
        event,
        of=meeting,
        key=str(meeting.id),
        focus=meeting.body,
        carries=[row.body for row in carries],
        ctx=ctx,
    )
