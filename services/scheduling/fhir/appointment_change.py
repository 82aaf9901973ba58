"""What a PUT of an Appointment asks for: the difference to what stands, and nothing else may differ."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.scheduling import texts
from services.scheduling.models.appointment_change import AppointmentChange, CancellationReason
from services.scheduling.models.rows import Appointment
from services.scheduling.states import AppointmentStatus
from shared.errors import Invalid, Problem
from shared.fhir.codes import CANCELLATION_SYSTEM
from shared.fhir.elements import same
from shared.fhir.instants import read_instant, to_the_second
from shared.fhir.reasons import REASON_SYSTEM
from shared.urls import Urls

_OURS = frozenset({"id", "meta", "status", "start", "end", "cancelationReason", "implicitRules"})


def read(row: Appointment, resource: Mapping[str, Any], *, urls: Urls) -> AppointmentChange:
    """Read the wanted change; raises Invalid with every element that may not differ."""
    current: dict[str, Any] = msgspec.json.decode(row.body)
    text = "cannot be changed here; status, start, end and cancelationReason can"
    problems = [
        _problem(name, f"{name} {text}", code="business-rule")
        for name in sorted((current.keys() | resource.keys()) - _OURS)
        if not same(current.get(name), resource.get(name), urls=urls)
    ]
    if resource.get("id") != str(row.id):
        problems.append(_problem("id", "the id in the body and in the address differ"))
    status = _status(row, resource, problems)
    start = _start(row, resource, problems)
    reason = _reason(resource, status, problems)
    if start is not None and status not in (None, AppointmentStatus.BOOKED):
        problems.append(_problem("start", "move it or change its status, one at a time"))
    if problems:
        raise Invalid(problems=problems)
    return AppointmentChange(status=status, start=start, reason=reason)


def _status(
    row: Appointment, resource: Mapping[str, Any], problems: list[Problem]
) -> AppointmentStatus | None:
    text = resource.get("status")
    try:
        status = AppointmentStatus(str(text))
    except ValueError:
        refusal = f"this clinic does not use the status {text!r}; it uses {', '.join(AppointmentStatus)}"
        problems.append(_problem("status", refusal, code="code-invalid"))
        return None
    return None if status == row.status else status


def _start(row: Appointment, resource: Mapping[str, Any], problems: list[Problem]) -> datetime | None:
    start, end = _moment(resource, "start", problems), _moment(resource, "end", problems)
    if start is None:
        if row.starts_at is not None and resource.get("start") is None:
            problems.append(_required("start"))
        return None
    fits = start + timedelta(minutes=row.minutes)
    if end is not None and end not in (fits, row.ends_at):
        text = f"this visit takes {row.minutes} minutes, so it would end at {to_the_second(fits)}"
        problems.append(_problem("end", text, code="business-rule"))
    return None if start == row.starts_at else start


def _moment(resource: Mapping[str, Any], name: str, problems: list[Problem]) -> datetime | None:
    text = resource.get(name)
    if text is None:
        return None
    moment = read_instant(text)
    if moment is None:
        problems.append(_problem(name, "not an instant with a zone", code="value"))
        return None
    return moment


def _reason(
    resource: Mapping[str, Any], status: AppointmentStatus | None, problems: list[Problem]
) -> CancellationReason | None:
    given = resource.get("cancelationReason")
    if status != AppointmentStatus.CANCELLED:
        return None
    if not isinstance(given, Mapping):
        problems.append(_required("cancelationReason"))
        return None
    codings = [coding for coding in given.get("coding", []) if coding.get("system") != REASON_SYSTEM]
    ours = [coding for coding in codings if coding.get("system") == CANCELLATION_SYSTEM]
    if not ours:
        text = f"a code of {CANCELLATION_SYSTEM} is needed: pat... for the patient, prov... for the clinic"
        problems.append(_problem("cancelationReason", text, code="required"))
        return None
    if any(coding.get("code") not in texts.CANCELLATIONS for coding in ours):
        text = f"{CANCELLATION_SYSTEM} has no such code; it has {', '.join(texts.CANCELLATIONS)}"
        problems.append(_problem("cancelationReason.coding.code", text, code="code-invalid"))
        return None
    others = [coding for coding in codings if coding is not ours[0]]
    return CancellationReason(code=ours[0]["code"], words=given.get("text"), other_codings=others)


def _required(name: str) -> Problem:
    return _problem(name, f"{name} is needed", code="required")


def _problem(name: str, text: str, *, code: str = "invalid") -> Problem:
    return Problem(text=text, code=code, expression=f"Appointment.{name}")
