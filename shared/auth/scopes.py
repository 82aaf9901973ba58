"""SMART App Launch 2.0 scopes: `system/ServiceRequest.cruds`, `user/Task.ru`.

The suffix is a subset of `cruds` in that order; everything else is refused. v1 names (`.read`, `.write`) are
read as `.rs` and `.cud`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Interaction = Literal["c", "r", "u", "d", "s"]

_SCOPE = re.compile(r"^(?P<level>system|user|patient)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<acts>c?r?u?d?s?)$")
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}


class NotAScope(ValueError):
    """A scope that SMART does not know, such as one whose letters are out of order."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of one token, as pairs of resource type and interaction."""

    texts: frozenset[str]
    granted: frozenset[tuple[str, str]]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Scopes":
        """Read scopes; raises NotAScope with the first that is none."""
        texts = frozenset(texts)
        return cls(texts=texts, granted=frozenset(pair for text in texts for pair in _pairs(text)))

    def allow(self, resource_type: str, interaction: Interaction) -> bool:
        """Tell whether these scopes allow this interaction on this resource type."""
        return (resource_type, interaction) in self.granted or ("*", interaction) in self.granted

    def __str__(self) -> str:
        return " ".join(sorted(self.texts))


def _pairs(text: str) -> list[tuple[str, str]]:
    name, _, acts = text.partition(".")
    matched = _SCOPE.match(f"{name}.{_VERSION_1.get(acts, acts)}")
    if matched is None or not matched["acts"]:
        raise NotAScope(f"{text!r} is no SMART scope; write system/Type.cruds with the letters in this order")
    return [(matched["type"], act) for act in matched["acts"]]
