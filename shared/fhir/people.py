"""How a Patient is named and spoken to: what every service that knows the person by name reads of it."""

from collections.abc import Mapping, Sequence
from typing import Any

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
