"""Reads FHIR for pages: names, references, codes, typed arguments; nothing here parses prose.

Everything takes a resource or an element as a service answered it, and tolerates what is missing.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from shared.fhir.codes import LUMBAR, VISIT_EXTENSION
from shared.fhir.values import value_of

Resource = Mapping[str, Any]
TASK_INPUT = f"{LUMBAR}/CodeSystem/task-input"
# Who gives a visit: one discipline, or several.
_DISCIPLINES = ("discipline", "disciplines")


def code_of(concept: Mapping[str, Any] | None, system: str | None = None) -> str:
    """Give the first code of a concept, of one system where it is named; empty where there is none."""
    for coding in (concept or {}).get("coding", ()):
        if system is None or coding.get("system") == system:
            return str(coding.get("code", ""))
    return ""


def id_of(reference: Mapping[str, Any] | str | None) -> str:
    """Give the id at the end of a reference."""
    written = reference.get("reference", "") if isinstance(reference, Mapping) else reference or ""
    return written.rpartition("/")[2]


def local(reference: Mapping[str, Any] | str | None) -> str:
    """Give `Type/id` of a reference, which may be absolute."""
    written = reference.get("reference", "") if isinstance(reference, Mapping) else reference or ""
    return "/".join(written.split("/")[-2:])


def shown(reference: Mapping[str, Any] | None) -> str:
    """Give what a reference is called; empty where nobody said."""
    return str((reference or {}).get("display", ""))


def patient_of(visit: Resource) -> Mapping[str, Any]:
    """Give the reference to the patient of a visit."""
    actors: Iterator[Mapping[str, Any]] = (one.get("actor", {}) for one in visit.get("participant", ()))
    return next((actor for actor in actors if "Patient/" in actor.get("reference", "")), {})


def person_name(patient: Resource | None) -> str:
    """Give a patient's name as a list shows it, family first."""
    names = (patient or {}).get("name", ())
    name: Mapping[str, Any] = next(
        (one for one in names if one.get("use") == "official"), next(iter(names), {})
    )
    given = " ".join(name.get("given", ()))
    parts = [part for part in (name.get("family"), given) if part]
    return ", ".join(parts) or str(name.get("text", ""))


def spoken_name(patient: Resource | None) -> str:
    """Give a patient's name as it is said, the given name first."""
    family, _, given = person_name(patient).partition(", ")
    return f"{given} {family}".strip()


def telecom(patient: Resource | None, system: str) -> str:
    """Give the first contact of a kind (`phone`, `email`)."""
    for contact in (patient or {}).get("telecom", ()):
        if contact.get("system") == system:
            return str(contact.get("value", ""))
    return ""


def age_on(born: str | None, day: date) -> int | None:
    """Count the full years of somebody born on a full date; None where the day of birth is not known."""
    try:
        birth = date.fromisoformat(born or "")
    except ValueError:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def moment_of(written: str | None) -> datetime | None:
    """Read an instant; None where there is none, or only a date."""
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def input_of(task: Resource, code: str) -> Any:
    """Give the value of a Task's input of ours; None where it has none."""
    return next(inputs_of(task, code), None)


def inputs_of(task: Resource, code: str) -> Iterator[Any]:
    """Give the values of a Task's inputs of one code of ours, in their order."""
    for given in task.get("input", ()):
        if code_of(given.get("type"), TASK_INPUT) == code:
            for name, value in given.items():
                if name.startswith("value"):
                    yield value.get("code") if name == "valueCoding" else value


def parameters_of(body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the values of a Parameters resource by name; parts are read the same way, repeats as lists."""
    found: dict[str, Any] = {}
    for parameter in (body or {}).get("parameter", ()):
        value = _value(parameter)
        name = parameter["name"]
        if name in found:
            earlier = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*earlier, value]
        else:
            found[name] = value
    return found


def many(value: Any) -> list[Any]:
    """Give what `parameters_of` found of a name as a list, however often it stood there."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _value(parameter: Mapping[str, Any]) -> Any:
    if "part" in parameter:
        return parameters_of({"parameter": parameter["part"]})
    if "resource" in parameter:
        return parameter["resource"]
    return value_of(parameter)


def visits_of(programme: Resource) -> list[dict[str, Any]]:
    """Give the visits of a HealthcareService: place among the extensions, members, disciplines."""
    return [
        {
            "place": place,
            "parts": {part["url"]: value_of(part) for part in extension["extension"]},
            "disciplines": [value_of(part) for part in extension["extension"] if part["url"] in _DISCIPLINES],
        }
        for place, extension in enumerate(programme.get("extension", ()))
        if extension.get("url") == VISIT_EXTENSION
    ]
