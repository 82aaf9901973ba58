"""How a Patient is named and spoken to: what every service that knows the person by name reads of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.people import KnownPerson

_NAME_RANKS = {"official": 0, "usual": 0, "nickname": 2, "anonymous": 2, "maiden": 2, "old": 3}


def names(patient: Mapping[str, Any]) -> tuple[str, str]:
    """Give family and given name of the official name, else of the first that is in use, else of any."""
    stated: Sequence[Any] = patient.get("name", [])
    ranked = sorted(stated, key=lambda name: _NAME_RANKS.get(name.get("use"), 1))
    name: Mapping[str, Any] = ranked[0] if ranked else {}
    family = str(name.get("family") or name.get("text") or "")
    return family, " ".join(part for part in name.get("given", []) if isinstance(part, str))


def language(patient: Mapping[str, Any]) -> str | None:
    """Give the language that a person prefers, else the first that is named: its code, else its text."""
    stated: Sequence[Any] = patient.get("communication", [])
    for spoken in sorted(stated, key=lambda spoken: spoken.get("preferred") is not True):
        concept = spoken.get("language", {})
        codes = [coding["code"] for coding in concept.get("coding", []) if coding.get("code")]
        if found := next(iter(codes), None) or concept.get("text"):
            return str(found)
    return None


def listed(patient_id: str, person: KnownPerson | None) -> dict[str, Any]:
    """Write who a row of a list is about; the name is null where nobody has said it yet."""
    parts = [] if person is None else [part for part in (person.family, person.given) if part]
    born = None if person is None else person.birth_date
    return {"id": patient_id, "name": ", ".join(parts) or None, "birth_date": born}
