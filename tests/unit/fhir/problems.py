"""How the tests of the border ask it."""

import json
from typing import Any

from shared.fhir.check import steps

PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1"}


def problems(resource: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Give place and text of everything that is wrong."""
    copy = json.loads(json.dumps(resource))
    return [(problem.expression, problem.text) for problem in steps.problems_of(copy)]


def places(resource: dict[str, Any]) -> list[str | None]:
    """Give the places of everything that is wrong."""
    return [place for place, _ in problems(resource)]
