"""The report to the referrer at the end of care: a Composition with the course and the outcomes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from services.referral.models.rows import Referral
from shared.clinic import Clinic
from shared.fhir.codes import LOINC
from shared.fhir.elements import directory_reference
from shared.fhir.instants import instant

Resource = Mapping[str, Any]


def render(
    referral: Referral,
    *,
    plan: Resource,
    observations: Sequence[Resource],
    clinic: Clinic,
    base_url: str,
    at: datetime,
) -> dict[str, Any]:
    """Render the report from what careteam said about the discharge."""
    zone = clinic.site(referral.site).zone
    programme = clinic.programme(referral.programme).name if referral.programme else "Care"
    course = (
        f"{programme} at {clinic.site(referral.site).name}. "
        f"Referred {referral.sent_at.astimezone(zone):%Y-%m-%d}, "
        f"discharged {at.astimezone(zone):%Y-%m-%d}."
    )
    plan_entry = _elsewhere(plan, base_url=base_url)
    sections = [_section("Course", [course], entries=[plan_entry])]
    if observations:
        lines = [line for observation in observations if (line := _line(observation))]
        entries = [_elsewhere(observation, base_url=base_url) for observation in observations]
        sections.append(_section("Outcomes", lines, entries=entries))
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": "18842-5", "display": "Discharge summary"}]},
        "subject": {"reference": f"Patient/{referral.patient_id}"},
        "date": instant(at),
        "author": [directory_reference(clinic, f"Organization/{clinic.id}")],
        "title": "Report to the referrer",
        "section": sections,
    }


def _section(title: str, lines: Sequence[str], *, entries: Sequence[Resource]) -> dict[str, Any]:
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines) or "<p></p>"
    section: dict[str, Any] = {
        "title": title,
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>',
        },
        "entry": [entry for entry in entries if entry],
    }
    return {name: value for name, value in section.items() if value}


def _elsewhere(resource: Resource, *, base_url: str) -> dict[str, str]:
    if "id" not in resource:
        return {}
    return {"reference": f"{base_url}/careteam/fhir/{resource['resourceType']}/{resource['id']}"}


def _line(observation: Resource) -> str:
    code = observation.get("code", {})
    codings = code.get("coding", [])
    name = code.get("text") or next(
        (coding["display"] for coding in codings if coding.get("display")), "Outcome"
    )
    day = str(observation.get("effectiveDateTime") or observation.get("issued") or "")[:10]
    value = _value(observation)
    return f"{name}: {value} ({day})" if value and day else f"{name}: {value}" if value else ""


def _value(observation: Resource) -> str:
    quantity = observation.get("valueQuantity")
    if isinstance(quantity, Mapping):
        return f"{quantity.get('value')} {quantity.get('unit') or quantity.get('code') or ''}".strip()
    value = observation.get("valueInteger")
    return "" if value is None else str(value)
