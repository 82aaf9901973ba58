"""The guard of a route: which scope it asks for and which rows it reaches, readable from outside.

Invariant: a route has exactly one guard, that of its `authorize(...)` (shared/http/authorize.py), or it is
declared open with the reason why; a test that lists all routes refuses any other.
"""

from dataclasses import dataclass
from typing import Any

from shared.auth.scopes import Interaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What a route asks of its caller; `interaction` is None where the route is open to everybody.

    `dry_run` says that the route needs the scope of a command and writes nothing, `streams` that it reads its
    body by itself, as it comes, `conditional` that it honours If-None-Exist, `names_no_resource` that its
    answer is about none, so that a kept one is given again to whoever may call the route.
    """

    resource_type: str
    interaction: Interaction | None
    rows: str
    dry_run: bool = False
    streams: bool = False
    conditional: bool = False
    names_no_resource: bool = False

    @property
    def scope(self) -> str:
        """The scope in words."""
        return f"{self.resource_type}.{self.interaction}"

    @property
    def writes(self) -> bool:
        """Tell whether this is a command: a search or an inquiry by POST is none, nor is a dry run."""
        return self.interaction in ("c", "u", "d") and not self.dry_run


@dataclass(frozen=True, slots=True)
class OpenToAll:
    """The dependency that marks a route which tells nothing about a person."""

    guard: Guard

    async def __call__(self) -> None:
        return None


def open_to_all(why: str) -> OpenToAll:
    """Mark a route that needs no token, with the reason in words."""
    return OpenToAll(Guard(resource_type="", interaction=None, rows=why))


def guard_of(route: Any) -> Guard | None:
    """Read the guard of a route (an APIRoute or fastapi's RouteContext); None for an unguarded one."""
    dependant = getattr(route, "dependant", None)
    for dependency in getattr(dependant, "dependencies", ()):
        guard = getattr(dependency.call, "guard", None)
        if isinstance(guard, Guard):
            return guard
    return None
