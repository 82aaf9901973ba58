"""Elements that turn the meaning of what is around them: not understood here, and refused, never ignored.

FHIR (extensibility, section on modifier extensions; the "Is-Modifier" elements of a resource): who does not
understand such an element must not process the resource as if it were not there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.errors import Invalid, Problem
from shared.fhir.received import Received

_NAMES = ("modifierExtension", "implicitRules")
# In these it would be read as a wish for what is not to be done; others are kept as they are.
_NOT_TO_DO = ("ServiceRequest", "CarePlan")
# A name can be written with escapes, and then only the decoded body shows it.
_SIGNS = (*(f'"{name}"'.encode() for name in (*_NAMES, "doNotPerform")), b"\\u")


def check(received: Received) -> None:
    """Refuse a modifierExtension, implicitRules and a `doNotPerform` anywhere; raises Invalid with all."""
    if not any(sign in received.raw for sign in _SIGNS):
        return
    if problems := list(_problems(received.data, received.resource_type, inside=received.resource_type)):
        raise Invalid(problems=problems)


def _problems(element: Any, path: str, *, inside: str) -> Iterator[Problem]:
    if isinstance(element, list):
        for index, part in enumerate(element):
            yield from _problems(part, f"{path}[{index}]", inside=inside)
    elif isinstance(element, Mapping):
        inside = str(element.get("resourceType", inside))
        for name, value in element.items():
            where = f"{path}.{name}"
            if name in _NAMES:
                text = f"{name} may turn the meaning of this element and is not understood here: leave it out"
                yield Problem(text=text, code="extension", expression=where)
            elif name == "doNotPerform" and value is True and inside in _NOT_TO_DO:
                text = "what is not to be done cannot be asked for here: only doNotPerform false"
                yield Problem(text=text, code="not-supported", expression=where)
            else:
                yield from _problems(value, where, inside=inside)
