"""A programme as a HealthcareService: who may refer, whom it is for, what a referral needs, when it is."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.scheduling import texts
from services.scheduling.fhir import roster_members
from shared.clinic import Clinic, Hours, Person, Programme
from shared.fhir.codes import (
    DISCIPLINE_SYSTEM,
    ELIGIBILITY_SYSTEM,
    HOURS_FOR_EXTENSION,
    HOURS_KEPT_EXTENSION,
    PROGRAMME_SYSTEM,
    QUESTIONNAIRE_EXTENSION,
    REFERRAL_QUESTIONNAIRE,
    RELEASE_EXTENSION,
    SERVICE_CATEGORY_SYSTEM,
    STREAM_SYSTEM,
    VISIT_TYPE_SYSTEM,
)
from shared.fhir.elements import coded, directory_reference

_REFERRAL_METHOD = "http://terminology.hl7.org/CodeSystem/service-referral-method"
_ALLIED_HEALTH = "34"
# By API, and what a coordinator enters for a sender.
_METHODS = ("elec", "phone", "fax", "mail")


def render(clinic: Clinic, programme: Programme) -> dict[str, Any]:
    """Render a programme, without `meta`."""
    site = clinic.site(programme.site)
    eligibility = [
        {"code": coded(ELIGIBILITY_SYSTEM, code, text=text), "comment": text}
        for code, text in texts.criteria(programme, clinic)
    ]
    resource: dict[str, Any] = {
        "resourceType": "HealthcareService",
        "id": programme.id,
        "extension": [
            {"url": QUESTIONNAIRE_EXTENSION, "valueCanonical": REFERRAL_QUESTIONNAIRE},
            *roster_members.of_programme(programme),
        ],
        "active": True,
        "providedBy": directory_reference(clinic, f"Organization/{clinic.id}"),
        "category": [coded(SERVICE_CATEGORY_SYSTEM, _ALLIED_HEALTH)],
        "type": [
            coded(PROGRAMME_SYSTEM, programme.id, text=programme.name),
            *(coded(VISIT_TYPE_SYSTEM, visit.id, text=visit.name) for visit in programme.visits),
        ],
        "specialty": [coded(DISCIPLINE_SYSTEM, discipline) for discipline in programme.team],
        "location": [directory_reference(clinic, f"Location/{site.id}")],
        "name": programme.name,
        "comment": texts.who_may_refer(programme),
        "extraDetails": texts.what_is_needed(programme),
        "eligibility": eligibility,
        "program": [coded(STREAM_SYSTEM, stream) for stream in programme.streams],
        "characteristic": [one["code"] for one in eligibility],
        "referralMethod": [coded(_REFERRAL_METHOD, method) for method in _METHODS],
        "appointmentRequired": True,
        "availableTime": available_time(list(_first_visits(clinic, programme))),
        "notAvailable": [
            {"description": texts.CLOSED, "during": {"start": day.isoformat(), "end": day.isoformat()}}
            for day in site.closed
        ],
    }
    return {name: value for name, value in resource.items() if value != []}


def available_time(hours: Sequence[Hours]) -> list[dict[str, Any]]:
    """Write weekly hours; wall-clock times of the site, each once."""
    found: list[dict[str, Any]] = []
    for part in hours:
        written = _weekly(part)
        if written not in found:
            found.append(written)
    return found


def with_purpose(hours: Hours) -> dict[str, Any]:
    """Write weekly hours of a person, and what they are for where that is not everything."""
    said: list[dict[str, Any]] = []
    if hours.purpose != Hours.model_fields["purpose"].default:
        said += [{"url": HOURS_FOR_EXTENSION, "valueCode": purpose} for purpose in hours.purpose]
    said += [{"url": HOURS_KEPT_EXTENSION, "valueCode": programme} for programme in hours.programmes]
    if hours.release_days is not None:
        said.append({"url": RELEASE_EXTENSION, "valueInteger": hours.release_days})
    return {**({"extension": said} if said else {}), **_weekly(hours)}


def _weekly(hours: Hours) -> dict[str, Any]:
    return {
        "daysOfWeek": [day.value for day in hours.days],
        "availableStartTime": hours.start.isoformat(),
        "availableEndTime": hours.end.isoformat(),
    }


def _first_visits(clinic: Clinic, programme: Programme) -> Iterator[Hours]:
    people: list[Person] = [
        person
        for person in clinic.people
        if person.site == programme.site and person.discipline == programme.first.discipline
    ]
    for person in people:
        yield from (hours for hours in person.hours if "first" in hours.purpose)
