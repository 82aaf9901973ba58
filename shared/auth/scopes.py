"""SMART App Launch 2.0 scopes: `system/ServiceRequest.cruds`, `user/Task.ru`.

The suffix is a subset of `cruds` in that order; everything else is refused. v1 names (`.read`, `.write`) are
read as `.rs` and `.cud`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Interaction = Literal["c", "r", "u", "d", "s"]

_SCOPE = re.compile(r"^(?P<level>system|user|patient)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<acts>c?r?u?d?s?)$")
_RESOURCE = re.compile(r"^(system|user|patient)/[^?]*$")
_ACTS: tuple[Interaction, ...] = ("c", "r", "u", "d", "s")
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

    def within(self, registered: "Scopes") -> "Scopes":
        """Keep of these scopes what the registered ones allow too, level by level (`system`, `user`)."""
        kept = [
            text
            for level in ("patient", "system", "user")
            for text in _both(self.of_level(level), registered.of_level(level), level=level)
        ]
        return Scopes.parse(kept)

    def granted_of(self, registered: "Scopes") -> list[str]:
        """Write what a client that asks for these is given, sorted: each scope as it was written where the
        registered ones hold all of it, else what both allow (SMART App Launch 2.0; RFC 6749 section 3.3).
        """
        whole = {text for text in self.texts if Scopes.parse([text]).is_within(registered)}
        rest = Scopes.parse(self.texts - whole).within(registered)
        return sorted(whole | rest.texts)

    def is_within(self, registered: "Scopes") -> bool:
        """Tell whether the registered scopes allow all of these, level by level."""
        levels = {text.partition("/")[0] for text in self.texts}
        return all(
            registered.of_level(level).allow(resource_type, act)  # type: ignore[arg-type]
            for level in levels
            for resource_type, act in self.of_level(level).granted
        )

    def of_level(self, level: str) -> "Scopes":
        """Keep the scopes of one level."""
        return Scopes.parse(text for text in self.texts if text.partition("/")[0] == level)

    def __str__(self) -> str:
        return " ".join(sorted(self.texts))


def of_resources(texts: Iterable[str]) -> list[str]:
    """Keep what asks for resources as we grant them: no `openid`, and nothing narrowed by a query (`?`),
    which would be given wider than it was asked for.
    """
    return [text for text in texts if _RESOURCE.match(text)]


def _both(wanted: Scopes, registered: Scopes, *, level: str) -> Iterator[str]:
    """Write the scopes of one level that both allow, where either may say `*` for every type."""
    for resource_type in {name for name, _ in wanted.granted | registered.granted}:
        acts = [
            act for act in _ACTS if wanted.allow(resource_type, act) and registered.allow(resource_type, act)
        ]
        if acts:
            yield f"{level}/{resource_type}.{''.join(acts)}"


def _pairs(text: str) -> list[tuple[str, str]]:
    name, _, acts = text.partition(".")
    matched = _SCOPE.match(f"{name}.{_VERSION_1.get(acts, acts)}")
    if matched is None or not matched["acts"]:
        raise NotAScope(f"{text!r} is no SMART scope; write system/Type.cruds with the letters in this order")
    return [(matched["type"], act) for act in matched["acts"]]
