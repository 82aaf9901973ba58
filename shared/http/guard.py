"""The guard of a route: which scope it asks for and which rows it reaches, readable from outside.

Invariant: a route is guarded by exactly one `Requirement`, or is declared open with the reason why; a test
that lists all routes refuses any other.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from shared.auth.scopes import Interaction

if TYPE_CHECKING:
    from shared.http.call import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What a route asks of its caller; `interaction` is None where the route is open to everybody."""

    resource_type: str
    interaction: Interaction | None
    rows: str

    @property
    def scope(self) -> str:
        """The scope in words."""
        return f"{self.resource_type}.{self.interaction}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """The dependency that makes the Call of a guarded route."""

    guard: Guard
    open_call: Callable[[Request, Guard], Awaitable["Call"]]

    async def __call__(self, request: Request) -> "Any":
        return await self.open_call(request, self.guard)


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
        if isinstance(dependency.call, Requirement | OpenToAll):
            return dependency.call.guard
    return None
