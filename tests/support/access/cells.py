"""The cells of the access matrix: each is one request of one party, with the decision that is expected."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from fastapi.routing import iter_route_contexts

from shared.http.guard import Guard, guard_of
from tests.support.access.world import World

AT_ONCE = 6
READS = ("", "/_history", "/_history/{version}", "/$available-actions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A guarded route of one of the apps."""

    service: str
    method: str
    path: str
    guard: Guard
    endpoint: Any

    @property
    def name(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def type(self) -> str:
        """The resource type in the address, empty where there is none."""
        parts = self.path.split("/")
        return parts[2] if self.path.startswith("/fhir/") and parts[2][:1].isupper() else ""

    def at(self, **values: object) -> str:
        """Fill the address."""
        path = self.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", str(value))
        return f"/{self.service}{path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """`ids` are all resources that a Bundle may and must hold; `twin` is the same request about nobody's id;
    `secret` stands in no answer.
    """

    party: str
    method: str
    path: str
    statuses: Collection[int]
    body: Any = None
    form: dict[str, str] | None = None
    ids: Collection[str] | None = None
    twin: "Cell | None" = None
    secret: str = ""
    patient: str | None = None

    @property
    def name(self) -> str:
        return f"{self.party}: {self.method} {self.path}"


@dataclass(kw_only=True)
class Asked:
    """What was asked in all: request ids with cell and status; and what is said of nobody's rows."""

    answers: dict[str, tuple[Cell, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    nobody: dict[str, tuple[int, str]] = field(default_factory=dict)
    cells: int = 0


def routes(world: World) -> list[Route]:
    """Walk the routes of the four apps."""
    found = []
    for service, app in world.clinic.app.state.apps.items():
        for route in iter_route_contexts(app.routes):
            guard = guard_of(route)
            if guard is not None and guard.interaction is not None:
                found += [
                    Route(
                        service=service,
                        method=method,
                        path=str(route.path),
                        guard=guard,
                        endpoint=route.endpoint,
                    )
                    for method in sorted(route.methods or ())
                ]
    return found


async def ask_all(world: World, cells: Iterable[Cell], asked: Asked) -> None:
    """Ask every cell, a few at once, and hold the answers against what is expected."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(cell: Cell) -> None:
        async with limit:
            asked.cells += 1
            asked.wrong += [f"{cell.name}: {what}" for what in [*await _wrong(world, cell, asked)]]

    await asyncio.gather(*(one(cell) for cell in cells))


async def ask(world: World, cell: Cell, asked: Asked) -> httpx.Response:
    """Ask one cell under a request id of its own."""
    name = str(uuid4())
    answer = await world.clinic.as_(cell.party).request(
        cell.method, cell.path, json=cell.body, data=cell.form, headers={"x-request-id": name}
    )
    asked.answers[name] = (cell, answer.status_code)
    return answer


async def _wrong(world: World, cell: Cell, asked: Asked) -> Sequence[str]:
    answer = await ask(world, cell, asked)
    if answer.status_code not in cell.statuses:
        return [f"{answer.status_code} instead of {sorted(cell.statuses)}"]
    wrong = []
    if cell.ids is not None:
        wrong += _wrong_bundle(answer.json(), cell.ids)
    if cell.secret and cell.secret in answer.text:
        wrong.append("the answer holds what it must not")
    if cell.twin is not None and _masked(answer, cell) != (same := await _of_nobody(world, cell.twin, asked)):
        wrong.append(f"differs from nobody's: {answer.text} / {same}")
    return wrong


async def _of_nobody(world: World, twin: Cell, asked: Asked) -> tuple[int, str]:
    """Ask about nobody's row once for each party and route."""
    key = f"{twin.method} {_without_ids(twin.path, twin)} {twin.party}"
    if key not in asked.nobody:
        asked.nobody[key] = _masked(await ask(world, twin, asked), twin)
    return asked.nobody[key]


def _wrong_bundle(bundle: dict[str, Any], ids: Collection[str]) -> Iterator[str]:
    entries = bundle.get("entry", [])
    found = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}
    if found != set(ids):
        yield f"too much {sorted(found - set(ids))}, too little {sorted(set(ids) - found)}"
    matches = [one for one in entries if one["search"]["mode"] == "match"]
    if bundle["total"] != len(matches):
        yield f"total {bundle['total']} of {len(matches)}"


def _masked(answer: httpx.Response, cell: Cell) -> tuple[int, str]:
    return answer.status_code, _without_ids(answer.text, cell)


def _without_ids(text: str, cell: Cell) -> str:
    for part in (*cell.path.split("/"), cell.secret):
        text = text.replace(part, "-") if len(part) > 30 else text
    return text
