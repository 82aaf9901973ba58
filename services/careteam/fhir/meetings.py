"""Meetings as Appointment, minutes as Composition, decisions as Provenance."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.careteam import texts
from services.careteam.fhir.elements import Resource, practitioner
from services.careteam.fhir.request_parsing import Findings, referred
from services.careteam.models.rows import CareTask, Meeting, MeetingParticipant
from services.careteam.states import CaseState, MeetingState
from shared.context import Context
from shared.fhir import reasons
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, LUMBAR, AppointmentKind
from shared.fhir.elements import coded, directory_reference, reference
from shared.fhir.instants import is_on_a_calendar, read_instant, to_the_second
from shared.reasons import Reason

MEETING_STATE_EXTENSION = f"{LUMBAR}/StructureDefinition/meeting-state"
_DOCUMENT_SYSTEM = f"{LUMBAR}/CodeSystem/document"
_STATUS = {
    MeetingState.OPEN: "arrived",
    MeetingState.CLOSED: "fulfilled",
    MeetingState.MINUTES_SIGNED: "fulfilled",
    MeetingState.NOT_HELD: "cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAction:
    """An action that the chair asks for."""

    owner: str
    description: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAttendance:
    """Who came late, and who left."""

    arrived: Sequence[str]
    left: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedDecision:
    """What the chair says about a case."""

    case_id: str
    text: str
    actions: Sequence[AskedAction]
    revise_plan: bool


def meeting_status(state: MeetingState) -> str:
    """FHIR's Appointment.status for a meeting."""
    return _STATUS.get(state, "booked")


def appointment(ctx: Context, meeting: Meeting, participants: Sequence[MeetingParticipant]) -> Resource:
    """Render a meeting; no patient stands in it, its cases are Tasks of their own."""
    written: Resource = {
        "resourceType": "Appointment",
        "extension": [{"url": MEETING_STATE_EXTENSION, "valueCode": meeting.state}],
        "status": meeting.status,
        "appointmentType": coded(APPOINTMENT_KIND_SYSTEM, AppointmentKind.MEETING),
        "description": texts.MEETING.format(site=ctx.clinic.site(meeting.site).name),
        "start": to_the_second(meeting.starts_at),
        "end": to_the_second(meeting.ends_at),
        "minutesDuration": int((meeting.ends_at - meeting.starts_at).total_seconds()) // 60,
        "participant": [_participant(ctx, participant, meeting=meeting) for participant in participants],
    }
    if meeting.state == MeetingState.NOT_HELD:
        written["cancelationReason"] = reasons.concept([Reason.of("meeting-not-held")], texts.REASONS)
    return written


def asked_attendance(ctx: Context, parameters: Mapping[str, Any], *, site: str) -> list[str]:
    """Read who came; raises Invalid with everybody who is nobody of the site."""
    findings = Findings(urls=ctx.urls)
    came = _people(ctx, parameters, "attended", site=site, findings=findings)
    if not came:
        findings.add("say who came", expression=_parameter("attended"), code="required")
    findings.refuse()
    return came


def asked_attendance_change(
    ctx: Context, parameters: Mapping[str, Any], *, site: str, present: Collection[str]
) -> AskedAttendance:
    """Read who came late and who left; raises Invalid with everything that cannot be.

    Nobody leaves who is not `present`, and nobody comes and leaves at once.
    """
    findings = Findings(urls=ctx.urls)
    arrived = _people(ctx, parameters, "arrived", site=site, findings=findings)
    left = _people(ctx, parameters, "left", site=site, findings=findings)
    for person in left:
        if person in arrived:
            findings.add("nobody comes and leaves at once", expression=_parameter("left"))
        elif person not in present:
            findings.add("who leaves is there", expression=_parameter("left"))
    if not (parameters.get("arrived") or parameters.get("left")):
        findings.add("say who came or left", expression="Parameters.parameter", code="required")
    findings.refuse()
    return AskedAttendance(arrived=arrived, left=left)


def asked_decision(ctx: Context, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> AskedDecision:
    """Read a decision; raises Invalid with everything that is wrong."""
    findings = Findings(urls=ctx.urls)
    case = _mapping(parameters.get("case"))
    case_id = referred(case, "Task", expression=_parameter("case"), findings=findings)
    text = str(parameters.get("decision") or "").strip()
    if not text:
        findings.add("a decision needs its text", expression=_parameter("decision"), code="required")
    revise = parameters.get("revise-plan", False)
    if not isinstance(revise, bool):
        findings.add("true or false", expression=_parameter("revise-plan"))
    parts = _repeated(parameters, "action")
    actions = [_asked_action(_mapping(part) or {}, zone=zone, findings=findings) for part in parts]
    findings.refuse()
    return AskedDecision(
        case_id=case_id or "",
        text=text,
        actions=[action for action in actions if action is not None],
        revise_plan=revise is True,
    )


def minutes(
    ctx: Context, meeting: Meeting, *, cases: Sequence[CareTask], attended: Sequence[str]
) -> Resource:
    """Render the minutes: who came, and each case by reference, so that its text stays inside its own
    scope.
    """
    day = meeting.starts_at.astimezone(ctx.clinic.site(meeting.site).zone)
    return {
        "resourceType": "Composition",
        "status": "preliminary",
        "type": coded(_DOCUMENT_SYSTEM, "meeting-minutes", text=texts.MINUTES),
        "date": to_the_second(ctx.at),
        "author": [practitioner(ctx, meeting.chair)],
        "title": texts.MINUTES_OF.format(day=day),
        "custodian": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "event": [
            {
                "period": {
                    "start": to_the_second(meeting.opened_at or meeting.starts_at),
                    "end": to_the_second(ctx.at),
                },
                "detail": [reference("Appointment", meeting.id)],
            }
        ],
        "section": [
            {"title": "Present", "entry": [practitioner(ctx, person) for person in attended]},
            *(_case_section(number, case) for number, case in enumerate(cases, start=1)),
        ],
    }


def attester(ctx: Context) -> Resource:
    """Render who signs minutes, and when."""
    who = directory_reference(ctx.clinic, ctx.actor.reference)
    return {"mode": "legal", "time": to_the_second(ctx.at), "party": who}


def provenance(ctx: Context, *, target: Resource, activity: Reason) -> Resource:
    """Render who decided something, and when."""
    return {
        "resourceType": "Provenance",
        "target": [target],
        "recorded": to_the_second(ctx.at),
        "occurredDateTime": to_the_second(ctx.at),
        "activity": reasons.concept([activity], texts.REASONS),
        "agent": [{"who": directory_reference(ctx.clinic, ctx.actor.reference)}],
    }


def _participant(ctx: Context, participant: MeetingParticipant, *, meeting: Meeting) -> Resource:
    role = "CHAIR" if participant.practitioner == meeting.chair else "PART"
    if meeting.state in (MeetingState.SCHEDULED, MeetingState.AGENDA_PUBLISHED):
        status = "needs-action"
    else:
        status = "accepted" if participant.attended else "declined"
    times = {"start": participant.came_at, "end": participant.left_at}
    period = {name: to_the_second(at) for name, at in times.items() if at is not None}
    return {
        "type": [{"text": "chair" if role == "CHAIR" else "member"}],
        "actor": practitioner(ctx, participant.practitioner),
        "required": "required",
        "status": status,
        **({"period": period} if period else {}),
    }


def _case_section(number: int, case: CareTask) -> Resource:
    what = texts.WAS_DECIDED if case.state == CaseState.DECIDED else texts.WAS_CARRIED_OVER
    return {
        "title": texts.CASE_OF_MINUTES.format(number=number, what=what),
        "entry": [reference("Task", case.id)],
    }


def _asked_action(part: Mapping[str, Any], *, zone: ZoneInfo, findings: Findings) -> AskedAction | None:
    base = f"{_parameter('action')}.part"
    expression = f"{base}.where(name='owner')"
    owner = referred(_mapping(part.get("owner")), "Practitioner", expression=expression, findings=findings)
    description = str(part.get("description") or "").strip()
    if not description:
        expression = f"{base}.where(name='description')"
        findings.add("an action says what to do", expression=expression, code="required")
    due = _due(part.get("due"), zone=zone)
    if due is None:
        text = "an action has a due date (valueDate or valueDateTime with its zone)"
        findings.add(text, expression=f"{base}.where(name='due')", code="required")
    if owner is None or due is None:
        return None
    return AskedAction(owner=owner, description=description, due=due)


def _people(
    ctx: Context, parameters: Mapping[str, Any], name: str, *, site: str, findings: Findings
) -> list[str]:
    """Read the people of the site that a parameter names, each once."""
    staff = {person.id for person in ctx.clinic.people if person.site == site}
    people: list[str] = []
    for element in _repeated(parameters, name):
        person = referred(_mapping(element), "Practitioner", expression=_parameter(name), findings=findings)
        if person is not None and person not in staff:
            findings.add("this is nobody of the site", expression=_parameter(name))
        elif person is not None and person not in people:
            people.append(person)
    return people


def _parameter(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"


def _due(text: object, *, zone: ZoneInfo) -> datetime | None:
    """Read a due date as the end of that day at the site, or a time as it stands."""
    if "T" in str(text):
        return read_instant(text)
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        return None
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone) if is_on_a_calendar(day) else None


def _mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _repeated(parameters: Mapping[str, Any], name: str) -> list[Any]:
    value = parameters.get(name, [])
    return list(value) if isinstance(value, list) else [value]
