"""Free times as proposed Appointments, and the Appointment by which somebody asks for one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.scheduling.fhir.appointments import actors_of, service_types
from services.scheduling.models.booking import FoundTime, VisitProposal
from services.scheduling.models.rows import Referral
from shared.context import Context
from shared.errors import Invalid, Problem
from shared.fhir import references
from shared.fhir.codes import (
    APPOINTMENT_KIND_SYSTEM,
    DISCIPLINE_SYSTEM,
    VISIT_TYPE_SYSTEM,
    AppointmentKind,
)
from shared.fhir.elements import coded, referral_reference
from shared.fhir.instants import read_instant, to_the_second
from shared.urls import Urls

# With this the id of a free time begins, which is no Appointment yet.
PROPOSAL = "proposal-"
_STATUSES = ("proposed", "pending", "booked")
# What has no name of its own in a programme.
_BY_KIND = (AppointmentKind.FIRST, AppointmentKind.SESSION)
WHERE = "Parameters.parameter.where(name='appointment-resource').resource"


def render(ctx: Context, found: FoundTime, *, programme: str, referral: Referral | None) -> dict[str, Any]:
    """Write a free time as a proposed Appointment; nothing of it is taken."""
    of_patient = [] if referral is None else [referral_reference(ctx, "Patient", referral.patient_id)]
    based_on = (
        {} if referral is None else {"basedOn": [referral_reference(ctx, "ServiceRequest", referral.id)]}
    )
    visit, span = found.visit, found.span
    actors = actors_of(ctx.clinic, people=found.people, room=found.room, equipment=found.equipment)
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "serviceType": service_types(ctx.clinic, programme, visit.type.id if visit.type else None),
        "specialty": [coded(DISCIPLINE_SYSTEM, discipline) for discipline in visit.disciplines],
        "appointmentType": coded(APPOINTMENT_KIND_SYSTEM, visit.kind),
        "start": to_the_second(span.start),
        "end": to_the_second(span.end),
        "minutesDuration": visit.minutes,
        **based_on,
        "participant": [{"actor": actor, "status": "needs-action"} for actor in (*of_patient, *actors)],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAppointment:
    """An Appointment that there is, by its id, and what it shall be where more is said than to book it.

    `version` is the one that the sender has read, where it says so.
    """

    id: str
    resource: Mapping[str, Any] | None = None
    version: str | None = None


def standing_in(values: Mapping[str, Any], *, urls: Urls) -> StandingAppointment | None:
    """Read which Appointment a call is about that there is; None where it asks for a new one.

    Raises Invalid where it names none at all, or two.
    """
    reference, resource = values.get("appointment-reference"), values.get("appointment-resource")
    if reference is not None and resource is not None:
        raise Invalid("name the Appointment by its reference or send it, one of both", expression=WHERE)
    if reference is not None:
        where = "Parameters.parameter.where(name='appointment-reference')"
        return StandingAppointment(id=references.own_id(reference, urls=urls, expression=where))
    stated = _appointment_in(values)
    if str(stated.get("id", PROPOSAL)).startswith(PROPOSAL):
        return None
    version = stated.get("meta", {}).get("versionId")
    return StandingAppointment(id=str(stated["id"]), resource=stated, version=version)


def wanted(values: Mapping[str, Any], *, urls: Urls) -> VisitProposal:
    """Read the visit that a call asks for, and why it may be overbooked; raises Invalid."""
    proposal = read(_appointment_in(values), urls=urls)
    if not values.get("overbook"):
        return proposal
    because = str(values.get("reason") or "").strip()
    if not because:
        where = "Parameters.parameter.where(name='reason')"
        raise Invalid("who overbooks says why", expression=where)
    return replace(proposal, overbooked_because=because)


def _appointment_in(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the Appointment among the parameters of a call; raises Invalid without one."""
    resource = values.get("appointment-resource")
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "Appointment":
        raise Invalid("an Appointment is needed here", expression=WHERE)
    return resource


def read(resource: Mapping[str, Any], *, urls: Urls) -> VisitProposal:
    """Read the visit that an Appointment asks for; raises Invalid with everything that is wrong."""
    problems: list[Problem] = []
    if resource.get("status") not in _STATUSES:
        problems.append(_problem("status", f"is one of {', '.join(_STATUSES)}", code="code-invalid"))
    referral_id = _referral(resource, problems, urls=urls)
    visit = _visit(resource, problems)
    start = _moment(resource, "start", problems, is_needed=True)
    end = _moment(resource, "end", problems, is_needed=False)
    people = list(_named(resource, "Practitioner", urls=urls))
    rooms = list(_named(resource, "Location", urls=urls))
    if len(rooms) > 1:
        problems.append(_problem("participant", "a visit is in one room", code="business-rule"))
    if problems or referral_id is None or visit is None or start is None:
        raise Invalid(problems=problems)
    room = rooms[0] if rooms else None
    return VisitProposal(
        referral_id=referral_id,
        visit=visit,
        start=start,
        end=end,
        people=people,
        room=room,
        discipline=_discipline(resource),
    )


def _referral(resource: Mapping[str, Any], problems: list[Problem], *, urls: Urls) -> UUID | None:
    named = resource.get("basedOn") or []
    if len(named) != 1:
        problems.append(_problem("basedOn", "names the one ServiceRequest for which it is", code="required"))
        return None
    parsed = references.parse(named[0])
    if parsed.type == "ServiceRequest" and references.is_ours(parsed, urls):
        try:
            return UUID(str(parsed.id))
        except ValueError:
            pass
    problems.append(_problem("basedOn", "refers to a ServiceRequest of this clinic", code="invalid"))
    return None


def _visit(resource: Mapping[str, Any], problems: list[Problem]) -> str | None:
    for concept in resource.get("serviceType") or []:
        for coding in concept.get("coding") or []:
            if coding.get("system") == VISIT_TYPE_SYSTEM and coding.get("code"):
                return str(coding["code"])
    codings = (resource.get("appointmentType") or {}).get("coding") or []
    for one in codings:
        if one.get("system") == APPOINTMENT_KIND_SYSTEM and one.get("code") in _BY_KIND:
            return str(one["code"])
    text = f"names the visit by a code of {VISIT_TYPE_SYSTEM}, or appointmentType first or session"
    problems.append(_problem("serviceType", text, code="required"))
    return None


def _discipline(resource: Mapping[str, Any]) -> str | None:
    codings = [one for concept in resource.get("specialty") or [] for one in concept.get("coding") or []]
    return next((str(one.get("code")) for one in codings if one.get("system") == DISCIPLINE_SYSTEM), None)


def _moment(
    resource: Mapping[str, Any], name: str, problems: list[Problem], *, is_needed: bool
) -> datetime | None:
    text = resource.get(name)
    moment = None if text is None else read_instant(text)
    if moment is None and (is_needed or text is not None):
        problems.append(_problem(name, "is an instant with a zone", code="required"))
    return moment


def _named(resource: Mapping[str, Any], resource_type: str, *, urls: Urls) -> Iterator[str]:
    participants: Sequence[Mapping[str, Any]] = resource.get("participant") or []
    for participant in participants:
        parsed = references.parse(participant.get("actor") or {})
        if parsed.type == resource_type and parsed.id and references.is_ours(parsed, urls):
            yield parsed.id


def _problem(name: str, text: str, *, code: str) -> Problem:
    return Problem(text=f"{name} {text}", code=code, expression=f"{WHERE}.{name}")
