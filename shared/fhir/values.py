"""The value[x] of an element, whatever its type is called."""

from collections.abc import Mapping
from typing import Any


def value_of(element: Mapping[str, Any]) -> Any:
    """Return the value of an element such as an extension or a parameter, None where it has none."""
    return next((value for name, value in element.items() if name.startswith("value")), None)
