"""How events name things inside their resources: referrals, Task inputs, Parameters, people and days."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.events.envelope import Event
from shared.fhir.codes import LUMBAR, TASK_INPUT_SYSTEM
from shared.fhir.references import local_id, parse, reference_type
from shared.fhir.values import value_of

Resource = Mapping[str, Any]
Bound = date | datetime | None

_REFERRAL_IDENTIFIER = f"{LUMBAR}/referral"


def referral_named_in(event: Event) -> str | None:
    """Find the referral that an event is about, in each of the ways in which resources name one."""
    focus = event.focus
    if focus["resourceType"] == "ServiceRequest":
        return str(focus["id"])
    for reference in (*_listed(focus, "basedOn"), *_listed(focus, "focus"), *_listed(focus, "referral")):
        if reference_type(reference) == "ServiceRequest":
            return local_id(reference)
    for identifier in _listed(focus, "identifier"):
        if identifier.get("system") == _REFERRAL_IDENTIFIER:
            return str(identifier["value"])
    for reference in parameters_of(event.carried("Parameters")).get("referral", ()):
        return local_id(reference)
    return None


def inputs_of(task: Resource) -> dict[str, list[Any]]:
    """Return the inputs of a Task of ours by their code (`shared.fhir.codes.TaskInput`)."""
    found: dict[str, list[Any]] = {}
    for item in task.get("input", []):
        for coding in item.get("type", {}).get("coding", []):
            if coding.get("system") == TASK_INPUT_SYSTEM:
                found.setdefault(coding["code"], []).append(value_of(item))
    return found


def parameters_of(resources: Sequence[Resource]) -> dict[str, list[Any]]:
    """Return the parameters by name; the value of one with parts is its list of parts."""
    found: dict[str, list[Any]] = {}
    for resource in resources:
        for parameter in resource.get("parameter", []):
            value = parameter["part"] if "part" in parameter else value_of(parameter)
            found.setdefault(parameter["name"], []).append(value)
    return found


def codes_of(concept: Resource | None, *, system: str) -> list[str]:
    """Return the codes of a CodeableConcept in one system."""
    codings = (concept or {}).get("coding", [])
    return [coding["code"] for coding in codings if coding.get("system") == system]


def people_in(participants: Sequence[Resource], member: str) -> Iterator[str]:
    """Return the ids of the practitioners among participants."""
    for participant in participants:
        reference = participant.get(member, {})
        if reference_type(reference) == "Practitioner":
            yield local_id(reference)


def owner_of(task: Resource) -> str | None:
    """Return the owner of a Task as a relative reference."""
    parsed = parse(task.get("owner", {}))
    return f"{parsed.type}/{parsed.id}" if parsed.type and parsed.id else None


def moment(text: str) -> datetime:
    """Read an instant in UTC; raises ValueError for one without a zone."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return found.astimezone(UTC)


def is_over(period: Resource | None, *, at: datetime) -> bool:
    """Return whether a Period has ended at a time."""
    end = (period or {}).get("end")
    if end is None:
        return False
    ended = datetime.fromisoformat(end)
    return ended.date() < at.date() if ended.tzinfo is None else ended <= at


def bounds_of(period: Resource) -> tuple[Bound, Bound]:
    """Read a FHIR Period; a bound is a moment, a day, or None where it is open."""
    start, end = period.get("start"), period.get("end")
    return (
        None if start is None else _bound(start, last=False),
        None if end is None else _bound(end, last=True),
    )


def _bound(text: str, *, last: bool) -> Bound:
    if "T" in text:
        return moment(text)
    first, final = _days_of(text)
    return final if last else first


def _days_of(text: str) -> tuple[date, date]:
    """Return the first and the last day of a FHIR date, which may be a whole month or year."""
    year, month, day = (int(part) for part in re.findall(r"\d+", f"{text}-0-0")[:3])
    if day:
        return date(year, month, day), date(year, month, day)
    if month:
        following = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), following - timedelta(days=1)
    return date(year, 1, 1), date(year, 12, 31)


def _listed(resource: Resource, name: str) -> list[Any]:
    value = resource.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
