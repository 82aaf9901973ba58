"""Step 3, third part: the invariants of the resource types of care, each by its key in the specification."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.fhir.check.moments import comes_after
from shared.fhir.check.schema import word

Data = Mapping[str, Any]
Rule = Callable[[Data], str | None]


def _patient_contact(data: Data) -> str | None:
    if data.keys() & {"name", "telecom", "address", "organization"}:
        return None
    return "a contact has a name, telecom, address or organization (pat-1)"


def _observation(data: Data) -> str | None:
    value = _has_value(data)
    if value and "dataAbsentReason" in data:
        return "dataAbsentReason stands only where there is no value (obs-6)"
    codes = _codings(data.get("code"))
    if value and any(_codings(part.get("code")) & codes for part in _list(data, "component")):
        return "a component with the code of the Observation excludes a value (obs-7)"
    return None


def _observation_component(data: Data) -> str | None:
    if _has_value(data) and "dataAbsentReason" in data:
        return "dataAbsentReason stands only where there is no value (obs-6)"
    return None


def _reference_range(data: Data) -> str | None:
    return None if data.keys() & {"low", "high", "text", "_text"} else "low, high or text is needed (obs-3)"


def _appointment(data: Data) -> str | None:
    status = word(data.get("status"))
    if ("start" in data) is not ("end" in data):
        return "start and end stand together or not at all (app-2)"
    if "start" not in data and status not in ("proposed", "cancelled", "waitlist"):
        return "only a proposed, cancelled or waitlisted Appointment has no start and end (app-3)"
    if "cancelationReason" in data and status not in ("cancelled", "noshow"):
        return "cancelationReason needs the status cancelled or noshow (app-4)"
    return "the start is not after the end" if comes_after(data.get("start"), data.get("end")) else None


def _appointment_participant(data: Data) -> str | None:
    return None if data.keys() & {"type", "actor"} else "a participant has a type or an actor (app-1)"


def _appointment_response(data: Data) -> str | None:
    if data.keys() & {"participantType", "actor"}:
        return None
    return "participantType or actor is needed (apr-1)"


def _slot(data: Data) -> str | None:
    return "the start is not after the end" if comes_after(data.get("start"), data.get("end")) else None


def _task(data: Data) -> str | None:
    if comes_after(data.get("authoredOn"), data.get("lastModified")):
        return "lastModified is not before authoredOn (inv-1)"
    return None


def _plan_activity(data: Data) -> str | None:
    return (
        "reference and detail exclude each other (cpl-3)" if {"reference", "detail"} <= data.keys() else None
    )


def _goal_target(data: Data) -> str | None:
    detail = any(name.startswith("detail") for name in data)
    return "a detail needs its measure (gol-1)" if detail and "measure" not in data else None


def _consent(data: Data) -> str | None:
    return None if data.keys() & {"policy", "policyRule"} else "a policy or policyRule is needed (ppc-1)"


def _organization(data: Data) -> str | None:
    if not data.keys() & {"identifier", "name"}:
        return "an Organization has an identifier or a name (org-1)"
    if any(part.get("use") == "home" for name in ("telecom", "address") for part in _list(data, name)):
        return "nothing of an Organization is of use home (org-2, org-3)"
    return None


def _section(data: Data) -> str | None:
    if not data.keys() & {"text", "entry", "section"}:
        return "a section has text, entries or sections (cmp-1)"
    if "emptyReason" in data and "entry" in data:
        return "emptyReason stands only in an empty section (cmp-2)"
    return None


def _condition(data: Data) -> str | None:
    verification = _codes(data.get("verificationStatus"))
    if "entered-in-error" in verification and "clinicalStatus" in data:
        return "what was entered in error has no clinicalStatus (con-5)"
    abated = any(name.lstrip("_").startswith("abatement") for name in data)
    if abated and not _codes(data.get("clinicalStatus")) & _ENDED:
        return "what has abated is inactive, resolved or in remission (con-4)"
    return None


def _allergy(data: Data) -> str | None:
    in_error = "entered-in-error" in _codes(data.get("verificationStatus"))
    if in_error and "clinicalStatus" in data:
        return "what was entered in error has no clinicalStatus (ait-2)"
    if not in_error and "clinicalStatus" not in data:
        return "clinicalStatus is needed (ait-1)"
    return None


def _parameter(data: Data) -> str | None:
    given = _has_value(data) + ("resource" in data)
    if given + ("part" in data) == 1:
        return None
    return "a parameter has one of value, resource and part (inv-1)"


def _audit_entity(data: Data) -> str | None:
    return "name and query exclude each other (sev-1)" if {"name", "query"} <= data.keys() else None


def _has_value(data: Data) -> bool:
    return any(name.lstrip("_").startswith("value") for name in data)


def _list(data: Data, name: str) -> list[Data]:
    parts = data.get(name)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _codings(concept: Any) -> set[tuple[Any, Any]]:
    parts = _list(concept, "coding") if isinstance(concept, dict) else []
    return {(str(part.get("system")), str(part["code"])) for part in parts if "code" in part}


def _codes(concept: Any) -> set[str]:
    return {code for _, code in _codings(concept)}


_ENDED = {"inactive", "resolved", "remission"}
RULES: Mapping[str, tuple[Rule, ...]] = {
    "AllergyIntolerance": (_allergy,),
    "Appointment": (_appointment,),
    "AppointmentParticipant": (_appointment_participant,),
    "AppointmentResponse": (_appointment_response,),
    "AuditEventEntity": (_audit_entity,),
    "CarePlanActivity": (_plan_activity,),
    "CompositionSection": (_section,),
    "Condition": (_condition,),
    "Consent": (_consent,),
    "GoalTarget": (_goal_target,),
    "Observation": (_observation,),
    "ObservationComponent": (_observation_component,),
    "ObservationReferenceRange": (_reference_range,),
    "Organization": (_organization,),
    "ParametersParameter": (_parameter,),
    "PatientContact": (_patient_contact,),
    "Slot": (_slot,),
    "Task": (_task,),
}
