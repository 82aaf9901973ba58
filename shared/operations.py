"""What may be done with a resource, as data: one table for each resource, of which all the rest is made.

Routes, scopes, audit and OpenAPI (shared/http/operations.py), OperationDefinitions and `$available-actions`
(shared/fhir/operations.py), the table in a service's README and the access matrix of the tests are read from
here; how one is added stands in docs/how/operations.md.

Invariants:
- `when` is a pure rule that the verb checks too, so nothing is offered that is then refused for its state.
- `load` reads inside the caller's row scope, takes no lock and writes nothing.
- A change without `run` has its route in the service's `api`; every other operation has it from here.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Generic, Literal, TypeVar

from shared.auth.principal import PartyKind, Principal
from shared.auth.scopes import Interaction
from shared.clinic import Clinic
from shared.context import Context
from shared.db import Transaction
from shared.db.models import Resource
from shared.errors import Refusal
from shared.reasons import NO_WORDS, Reason, Words

Facts = TypeVar("Facts")
Kind = Literal["operation", "update", "create", "delete"]
Level = Literal["instance", "type", "system"]
EVERYBODY: tuple[PartyKind, ...] = ("referrer", "insurer", "coordinator", "clinician", "operator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing that a caller says: `type` is a FHIR type, `values` what is allowed where there is a list.

    `targets` are the resource types that a Reference may name, `parts` what an Element is made of.
    """

    name: str
    type: str = "string"
    text: str
    min: int = 0
    max: str = "1"
    values: Sequence[str] | Callable[[Clinic], Sequence[str]] = ()
    targets: tuple[str, ...] = ()
    parts: "tuple[Parameter, ...]" = ()

    def allowed(self, clinic: Clinic) -> Sequence[str]:
        """List what is allowed in this clinic; empty where anything of the type is."""
        return self.values(clinic) if callable(self.values) else self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationInput:
    """What a caller sent: `values` are the parameters by name, `data` any other body, `body` its bytes.

    `expect` holds the version that the caller named, where one was, against a row, and raises Stale.
    """

    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    expect: Callable[[Resource], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryAnswer:
    """What an inquiry found: the answer, the rows that it is about, and what was asked, as a search is."""

    body: Mapping[str, Any]
    rows: Sequence[Any]
    asked: Sequence[tuple[str, str]]


Answer = Resource | Mapping[str, Any] | InquiryAnswer
Run = Callable[[Context, Transaction, OperationInput], Awaitable[Answer]]


def always(_: Context, __: Any) -> Reason | None:
    """Allow an operation in every state."""
    return None


def to_all(_: Any) -> bool:
    """Let an operation apply to every resource of its type."""
    return True


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[Facts]):
    """An operation, or another change: `resource_type` is in its address and its scope.

    `rows` says in words which rows it reaches, `takes` which bodies (where it takes none, none is looked at),
    `returns` what it answers (the resource itself unless said). `refuses` are its own refusals; `when` says
    why it is not possible now, or None; `is_dry_run` is a creation that writes nothing.
    `applies` tells the resources of the type that it is for, where it is not for all kinds of them.
    One that `matches` holds If-Match, where it is sent, against the resource.
    """

    name: str
    kind: Kind = "operation"
    level: Level = "instance"
    resource_type: str
    parties: tuple[PartyKind, ...]
    interaction: Interaction
    rows: str
    text: str
    parameters: tuple[Parameter, ...] = ()
    takes: tuple[str, ...] = ("Parameters",)
    returns: str | None = None
    refuses: tuple[type[Refusal], ...] = ()
    is_dry_run: bool = False
    matches: bool = False
    applies: Callable[[Facts], bool] = to_all
    when: Callable[[Context, Facts], Reason | None] = always
    run: Run | None = None

    @property
    def method(self) -> str:
        """The HTTP method: what only reads is a GET."""
        if self.kind in ("update", "delete"):
            return "PUT" if self.kind == "update" else "DELETE"
        return "GET" if self.kind == "operation" and self.interaction == "r" else "POST"

    @property
    def path(self) -> str:
        """The address below the service, with `{id}` where a resource is named."""
        base = "/fhir" if self.level == "system" else f"/fhir/{self.resource_type}"
        named = f"{base}/{{id}}" if self.level == "instance" and self.kind != "create" else base
        return f"{named}/${self.name}" if self.kind == "operation" else named

    @property
    def definition(self) -> str:
        """The id of its OperationDefinition."""
        return self.name if self.level == "system" else f"{self.resource_type}-{self.name}"

    def is_open_to(self, principal: Principal) -> bool:
        """Tell whether a caller's party and scopes ever allow this."""
        return principal.party in self.parties and principal.scopes.allow(
            self.resource_type, self.interaction
        )


@dataclass(frozen=True, kw_only=True)
class Subject(Generic[Facts]):
    """A resource that a caller may see, with the facts that `when` decides by and the zone of its site."""

    row: Resource
    facts: Facts
    zone: tzinfo = UTC


Load = Callable[[Context, Transaction, str], Awaitable[Subject[Facts] | None]]


@dataclass(frozen=True, kw_only=True)
class OperationTable(Generic[Facts]):
    """All that may be done with the resources of one type; `load` gives None for one out of the row scope.

    Without `load` the resource itself is another service's, which lists what may be done with it.
    """

    resource_type: str
    rows: str
    load: Load[Facts] | None
    sentences: Mapping[str, str]
    words: Callable[[Clinic], Words] = lambda _: NO_WORDS
    operations: tuple[Operation[Facts], ...]

    @property
    def of_one(self) -> list[Operation[Facts]]:
        """What is done with one resource of the type, and listed for it."""
        if self.load is None:
            return []
        return [operation for operation in self.operations if operation.level == "instance"]

    @property
    def available_actions(self) -> Operation[Any]:
        """The operation that lists the others for one resource."""
        return Operation(
            name="available-actions",
            resource_type=self.resource_type,
            parties=EVERYBODY,
            interaction="r",
            rows=self.rows,
            text="List what the caller may do with this resource now, and why not the rest.",
            returns="Parameters",
        )

    @property
    def defined(self) -> list[Operation[Any]]:
        """Everything that is called by `$name`."""
        named = [operation for operation in self.operations if operation.kind == "operation"]
        return named if self.load is None else [*named, self.available_actions]

    @property
    def all_operations(self) -> list[Operation[Any]]:
        """Everything that is done, with the list of it where there is one."""
        return [*self.operations, *([] if self.load is None else [self.available_actions])]
