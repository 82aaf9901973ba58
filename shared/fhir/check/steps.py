"""The steps in their order: what one decoded resource breaks, all at once, sorted by place."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import Problem
from shared.fhir.check import across, documents, invariants, one_patient, shape
from shared.fhir.check.limits import MAX_PROBLEMS
from shared.fhir.check.schema import word

_NUMBER = re.compile(r"(\d+)")


def problems_of(data: Mapping[str, Any]) -> list[Problem]:
    """Give everything that is wrong with a decoded resource, at most 100 problems; empty means right."""
    walk = shape.Walk()
    walk.resource(data)
    found = list(walk.problems)
    for element in walk.elements:
        found.extend(invariants.problems(element))
        if element.type == "Bundle":
            found.extend(across.problems(element.data, element.path))
            found.extend(documents.problems(element.data, element.path))
    if data.get("resourceType") == "Bundle" and word(data.get("type")) in one_patient.COMMANDS:
        found.extend(one_patient.problems(data))
    return in_place(found)


def in_place(problems: Iterable[Problem]) -> list[Problem]:
    """Sort problems by their place, entry[2] before entry[10], and keep the first 100."""
    return sorted(problems, key=_place)[:MAX_PROBLEMS]


def _place(problem: Problem) -> list[tuple[int, str]]:
    parts = _NUMBER.split(problem.expression or "")
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
