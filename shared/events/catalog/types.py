"""What an event is: one class for each type, which writes and reads its message Bundle.

A class is declared once, in the module of the service that publishes it, and is in the catalog by that:

    class ReferralAccepted(ReferralEvent, name="referral.accepted", carries=("Patient",), emitted="..."): ...

Invariants:
- `CATALOG` lists exactly the classes with a name; the outbox publishes nothing else.
- What a class says beside its resources (`referral_id`, typed properties) is read from them and never stored
  twice; the ids that routing needs travel as extensions too, and an event without them is read from its body.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

import msgspec

from shared.events.catalog import reading
from shared.events.envelope import TIMER_CAUSE, Event
from shared.events.message import Resource, head, message

CATALOG: dict[str, type["DomainEvent"]] = {}

_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, kw_only=True)
class DomainEvent:
    """One event: its resources, the focus first, and the patient and referral that it is about.

    A class says of its type: `name` is the bare ce_type, `topic` the topic of the publishing service,
    `focus_types` the FHIR types that the focus may be of, `carries` those that stand beside it, `emitted` one
    sentence that says when it is published, `keyed_by` what orders it.
    """

    name: ClassVar[str] = ""
    topic: ClassVar[str] = ""
    focus_types: ClassVar[tuple[str, ...]] = ()
    carries: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[str] = ""
    keyed_by: ClassVar[Literal["patient", "aggregate"]] = "patient"

    patient_id: str | None
    referral_id: str | None
    resources: Sequence[Resource] = field(repr=False)
    envelope: Event | None = field(default=None, repr=False)

    def __init_subclass__(
        cls,
        *,
        name: str = "",
        topic: str = "",
        focus: str | tuple[str, ...] = (),
        carries: tuple[str, ...] = (),
        emitted: str = "",
        keyed_by: Literal["patient", "aggregate"] | None = None,
        catalogued: bool = True,
    ) -> None:
        """Declare an event type, or without a name what several types share; `carries` adds to the base's."""
        cls.name, cls.emitted = name, emitted
        cls.topic = topic or cls.topic
        cls.focus_types = ((focus,) if isinstance(focus, str) else focus) or cls.focus_types
        cls.carries = (*cls.carries, *carries)
        cls.keyed_by = keyed_by or cls.keyed_by
        if name and catalogued:
            CATALOG[name] = cls

    @classmethod
    def of(cls, event: Event) -> Self:
        """Read an event from its message."""
        return cls(
            patient_id=event.patient_id or (event.key if cls.keyed_by == "patient" else None),
            referral_id=event.referral_id or reading.referral_named_in(event),
            resources=(),
            envelope=event,
        )

    def to_bundle(self, *, event_id: str, source: str, at: datetime) -> bytes:
        """Write the message Bundle; raises ValueError for a resource that the class does not name."""
        resources = [(head(resource), resource) for resource in self.resources]
        kinds = [of.type for of, _ in resources]
        if kinds[0] not in self.focus_types:
            allowed = " or ".join(self.focus_types)
            raise ValueError(f"{self.name} is about a {allowed}, not a {kinds[0]}")
        for kind in kinds[1:]:
            if kind not in self.carries:
                allowed = ", ".join(self.carries) or "nothing"
                raise ValueError(f"{self.name} carries {allowed}, not a {kind}")
        return message(event_id=event_id, event_type=self.name, source=source, at=at, resources=resources)

    @property
    def received(self) -> Event:
        """The envelope of an event that was received; raises LookupError for one that is to be published."""
        if self.envelope is None:
            raise LookupError(f"{self.name} has not been received")
        return self.envelope

    @property
    def id(self) -> str:
        """The event's id."""
        return self.received.id

    @property
    def type(self) -> str:
        """The bare ce_type."""
        return self.received.type

    @property
    def key(self) -> str:
        """What orders the event: the patient's id, or the aggregate's."""
        return self.received.key

    @property
    def version(self) -> int:
        """The aggregate's dense event version."""
        return self.received.version

    @property
    def time(self) -> datetime:
        """The care time at which it was published, in UTC."""
        return self.received.time

    @property
    def is_by_a_person(self) -> bool:
        """Whether somebody asked for it by a request; what another event or a timer brought about is not."""
        by_timer = (self.received.causation or "").startswith(TIMER_CAUSE)
        return not (self.received.caused_by_event or by_timer)

    @property
    def focus(self) -> dict[str, Any]:
        """The resource that the event is about; raises ValueError where it is of another type."""
        focus = self.received.focus
        if self.focus_types and (found := focus.get("resourceType")) not in self.focus_types:
            allowed = " or ".join(self.focus_types)
            raise ValueError(f"{self.name} is about a {allowed}, not a {found}")
        return focus

    def carried(self, resource_type: str) -> list[dict[str, Any]]:
        """Every resource of one type, the focus included."""
        return self.received.carried(resource_type)

    @property
    def referral(self) -> str:
        """The id of the referral; raises ValueError where the event names none."""
        if self.referral_id is None:
            raise ValueError(f"{self.name} names no referral")
        return self.referral_id


def typed(event: Event) -> DomainEvent:
    """Read an event as its class of the catalog; one that the catalog does not know is a bare DomainEvent."""
    return CATALOG.get(event.type, DomainEvent).of(event)
