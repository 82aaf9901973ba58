"""A form of an act made into the body of its call: Parameters, or a resource with what it says changed.

Days and times in a form are those of the site's wall clock, written in one way only, so that nothing is
guessed. What is missing or wrong comes back by the field's name.
"""

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from services.portal import labels
from services.portal.acts import FOLLOWS, Act, Field, Wrong
from services.portal.reading import Resource, moment_of
from services.portal.typed import Typed, first, rows

_CANCELLATION = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
CANCELLED_BY = ("pat", "prov")


def body_of(
    act: Act, form: Typed, *, current: Resource | None, zone: tzinfo
) -> tuple[dict[str, Any], list[Wrong]]:
    """Make the body of a call from a form: Parameters, or the current resource with what it says changed.

    Dates and times of the form are those of the site's wall clock. What is missing or wrong comes back too.
    """
    said: list[tuple[Field, list[Any]]] = []
    wrong: list[Wrong] = []
    for one in act.fields:
        if one.name in FOLLOWS:
            continue
        values, problems = _values(one, form, prefix="", zone=zone)
        wrong += problems
        said += [(one, values)] if values else []
    if act.kind == "operation":
        parameters = [_parameter(one, value) for one, values in said for value in values]
        return {"resourceType": "Parameters", **({"parameter": parameters} if parameters else {})}, wrong
    changed = {one.name: values if one.is_repeated else values[0] for one, values in said}
    return _with_end({**(current or {}), **changed}), wrong


def _with_end(resource: dict[str, Any]) -> dict[str, Any]:
    """Let a visit that begins at another time last as long as before."""
    begins = moment_of(resource.get("start"))
    if "minutesDuration" in resource and begins is not None:
        resource["end"] = (begins + timedelta(minutes=resource["minutesDuration"])).isoformat()
    return resource


def _values(one: Field, form: Typed, *, prefix: str, zone: tzinfo) -> tuple[list[Any], list[Wrong]]:
    name = f"{prefix}{one.name}"
    if one.is_fixed:
        return [one.allowed[0]], []
    if one.parts:
        return _groups(one, form, name=name, zone=zone)
    given = [text.strip() for text in form.get(name, ()) if text.strip()]
    if not given:
        return [], ([Wrong(name=name, text=labels.NEEDED)] if one.is_required else [])
    values: list[Any] = []
    wrong = []
    if one.name == "cancelationReason":
        return _cancellation(given[0], form, name=name)
    for text in given:
        try:
            values.append(_typed(one, text, zone=zone))
        except ValueError as refused:
            wrong.append(Wrong(name=name, text=str(refused)))
    return values, wrong


def _cancellation(text: str, form: Typed, *, name: str) -> tuple[list[Any], list[Wrong]]:
    """Read whose doing a cancellation is, by HL7's code, and the words."""
    code = first(form, f"{name}.code")
    if code not in CANCELLED_BY:
        return [], [Wrong(name=f"{name}.code", text=labels.NEEDED)]
    return [{"coding": [{"system": _CANCELLATION, "code": code}], "text": text}], []


def _groups(one: Field, form: Typed, *, name: str, zone: tzinfo) -> tuple[list[Any], list[Wrong]]:
    """Read the repeats of an element of parts, `action.0.owner`; one that is all empty is not meant."""
    values, wrong = [], []
    for number in rows(form, name):
        prefix = f"{name}.{number}."
        if not any(text.strip() for key, texts in form.items() if key.startswith(prefix) for text in texts):
            continue
        group = []
        for part in one.parts:
            given, problems = _values(part, form, prefix=prefix, zone=zone)
            wrong += problems
            group += [_parameter(part, value) for value in given]
        values.append(group)
    if one.is_required and not values:
        wrong.append(Wrong(name=name, text=labels.NEEDED))
    return values, wrong


def _typed(one: Field, text: str, *, zone: tzinfo) -> Any:
    if one.allowed and text not in one.allowed:
        raise ValueError(labels.NOT_LISTED)
    if one.type in ("CodeableConcept", "Annotation"):
        return {"text": text}
    if one.type == "Reference":
        return {"reference": text}
    if one.type == "boolean":
        return text in ("true", "on")
    if one.type == "date":
        return _day(text).isoformat()
    if one.type in ("instant", "dateTime"):
        return _instant(text, zone=zone)
    return text


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(labels.DAY_AS) from None


def _instant(text: str, *, zone: tzinfo) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(labels.TIME_AS) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _parameter(one: Field, value: Any) -> dict[str, Any]:
    if one.parts:
        return {"name": one.name, "part": value}
    return {"name": one.name, f"value{one.type[0].upper()}{one.type[1:]}": value}
