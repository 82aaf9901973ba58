"""FHIR Parameters as a mapping of names to values."""

from collections.abc import Iterable, Mapping
from typing import Any


def by_name(parameters: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Read parameters as name -> value; a list where the name repeats, a mapping where it has parts."""
    found: dict[str, Any] = {}
    for parameter in parameters:
        name, value = parameter["name"], _value_of(parameter)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], _Repeated):
            found[name].append(value)
        else:
            found[name] = _Repeated([found[name], value])
    return found


def _value_of(parameter: Mapping[str, Any]) -> Any:
    if "part" in parameter:
        return by_name(parameter["part"])
    if "resource" in parameter:
        return parameter["resource"]
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


class _Repeated(list[Any]):
    """The values of a name that came more than once."""
