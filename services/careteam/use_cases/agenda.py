"""Putting a patient's case on the next agenda; a case waits there once, with all its reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.careteam import fhir, queries, rules
from services.careteam.fhir.asked import Findings
from services.careteam.fhir.tasks import CaseReason
from services.careteam.models import CareTask, Meeting, MeetingParticipant, Team
from services.careteam.settings import Settings
from services.careteam.states import CaseState
from shared.act import Act
from shared.db import ResourceRow, Transaction
from shared.errors import Conflict
from shared.events.catalog import EventType
from shared.events.outbox import publishing
from shared.fhir import store
from shared.fhir.codes import TaskCode


class AlreadyOnTheAgenda(Conflict):
    """The patient's case waits for a meeting already."""


async def bring_case(
    tx: Transaction,
    team: Team,
    *,
    asked: Mapping[str, Any],
    requester: str,
    settings: Settings,
    act: Act,
) -> CareTask:
    """Put the case that a member brings on the next agenda of a locked team's site."""
    findings = Findings()
    text = fhir.tasks.asked_case_text(asked, findings=findings)
    findings.refuse()
    if await queries.tasks.live_case(tx, team.id) is not None:
        raise AlreadyOnTheAgenda(
            "the case of this patient waits for a meeting already", expression="Task.for"
        )
    return await put_on_agenda(
        tx, team, reason=CaseReason.REQUESTED, text=text, requester=requester, settings=settings, act=act
    )


async def put_on_agenda(
    tx: Transaction,
    team: Team,
    *,
    reason: CaseReason,
    text: str,
    requester: str | None = None,
    settings: Settings,
    act: Act,
) -> CareTask:
    """Put the case of a locked team on its site's next agenda, or add the reason to where it waits
    already.
    """
    case = await queries.tasks.live_case(tx, team.id)
    if case is not None:
        more = fhir.tasks.with_reason(case.body, reason=reason, text=text)
        if more is not None:
            await store.put(tx, case, case.body, at=act.at, overlay=more)
        return case
    meeting = await queries.meetings.collecting(tx, site=team.site)
    case = CareTask(
        team_id=team.id,
        referral_id=team.referral_id,
        patient_id=team.patient_id,
        code=TaskCode.AGENDA_ITEM,
        state=CaseState.QUEUED if meeting is None else CaseState.ON_AGENDA,
        status=fhir.tasks.case_status(CaseState.QUEUED),
        owner=settings.clinic.site(team.site).meeting.chair,
        authored_at=act.at,
        meeting_id=None if meeting is None else meeting.id,
    )
    rendered = fhir.tasks.case(case, reason=reason, text=text, requester=requester, settings=settings)
    await store.put(tx, case, rendered, at=act.at)
    if meeting is not None:
        await invite(tx, meeting, cases=[case], settings=settings, act=act)
    return case


async def move_to_next_meeting(
    tx: Transaction, cases: Sequence[CareTask], *, site: str, settings: Settings, act: Act
) -> None:
    """Carry cases over to the site's next meeting, or to the one that will be scheduled next."""
    meeting = await queries.meetings.collecting(tx, site=site)
    for case in cases:
        case.meeting_id = None if meeting is None else meeting.id
        await become(tx, case, CaseState.CARRIED_OVER, act=act)
    if meeting is not None and cases:
        await invite(tx, meeting, cases=cases, settings=settings, act=act)


async def invite(
    tx: Transaction, meeting: Meeting, *, cases: Sequence[CareTask], settings: Settings, act: Act
) -> None:
    """Invite to a locked meeting whoever is in the teams of these cases and not yet invited."""
    invited = list(await queries.meetings.participants(tx, meeting.id))
    known = {one.practitioner for one in invited}
    for case in cases:
        for member in await queries.teams.members(tx, case.team_id):
            if member.left_at is None and member.practitioner not in known:
                known.add(member.practitioner)
                invited.append(MeetingParticipant(meeting_id=meeting.id, practitioner=member.practitioner))
                tx.add(invited[-1])
    await lay_meeting(tx, meeting, invited, settings=settings, act=act)


async def become(
    tx: Transaction,
    case: CareTask,
    state: CaseState,
    *,
    act: Act,
    more: fhir.elements.Resource | None = None,
) -> None:
    """Give a locked case its next state; raises NotInThisState where its life cycle does not lead there."""
    rules.meetings.case_must_become(case, state)
    case.state = state
    await lay_state(tx, case, act=act, more=more)


async def lay_state(
    tx: Transaction, case: CareTask, *, act: Act, more: fhir.elements.Resource | None = None
) -> None:
    """Write a case's state and place into its resource, as a new version."""
    case.status = fhir.tasks.case_status(CaseState(case.state))
    overlay = fhir.tasks.case_overlay(case, at=act.at) | (more or {})
    await store.put(tx, case, case.body, at=act.at, overlay=overlay)


async def lay_meeting(
    tx: Transaction,
    meeting: Meeting,
    participants: Sequence[MeetingParticipant],
    *,
    settings: Settings,
    act: Act,
) -> None:
    """Write a meeting's state into its resource, as a new version."""
    rendered = fhir.meetings.appointment(meeting, participants, settings=settings)
    await store.put(tx, meeting, rendered, at=act.at)


def tell(
    tx: Transaction, event: EventType, meeting: Meeting, *, carries: Sequence[ResourceRow] = (), act: Act
) -> None:
    """Publish what happened to a meeting; it concerns several patients, so the meeting itself is the key."""
    publishing.publish(
        tx,
        event,
        of=meeting,
        key=str(meeting.id),
        focus=meeting.body,
        carries=[row.body for row in carries],
        act=act,
    )
