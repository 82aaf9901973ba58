"""Patients for a page: their names, read once for all of its rows, and those whom somebody looks for."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from services.portal.calls import Calls, by_id, resources, together
from services.portal.reading import Resource, id_of

_AT_ONCE = 100


async def patients_of(calls: Calls, references: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Read the patients whom references name, by id; who cannot be read is not there."""
    ids = list(dict.fromkeys(one for one in map(id_of, references) if one))[:_AT_ONCE]
    if not ids:
        return {}
    return by_id(await calls.get("/referral/fhir/Patient", _id=",".join(ids), _count=_AT_ONCE), "Patient")


async def patients_found(calls: Calls, text: str) -> list[Resource] | None:
    """Find patients by any part of a name, birth date, telephone or card; None where nobody can be asked."""
    asked = criteria_of(text)
    answers = await together(
        **{
            name: calls.search("/referral/fhir/Patient", **{name: value, "_count": 50})
            for name, value in asked.items()
        }
    )
    if asked and all(answer.is_away for answer in answers.values()):
        return None
    known: dict[str, Resource] = {}
    for answer in answers.values():
        for patient in resources(answer) or ():
            known.setdefault(patient["id"], patient)
    return list(known.values())


def criteria_of(text: str) -> dict[str, str]:
    """Tell by what a text is looked for: a date, a number, or a part of a name of two letters or more."""
    try:
        return {"birthdate": date.fromisoformat(text).isoformat()}
    except ValueError:
        pass
    digits = "".join(one for one in text if one.isdecimal())
    if len(digits) >= 4 and not any(one.isalpha() for one in text):
        return {"phone": text, "identifier": text}
    return {"name": text} if len(text) >= 2 else {}
