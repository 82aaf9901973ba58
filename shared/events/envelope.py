"""One event as it travels: CloudEvents 1.0 attributes as headers, a FHIR R4B message Bundle as the value.

Invariants:
- Nothing in the attributes or the key says anything about a person: ids, types, versions and times only.
- The same event has the same bytes in the outbox, on every transport and in the held table.
- `key` is the patient's id, except for the event types whose catalog entry says `keyed_by="aggregate"`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from shared.events.message import Head

Found = TypeVar("Found")
CAUSED_BY_EVENT = "event"
# What a timer caused names its kind and what it is about behind this.
TIMER_CAUSE = "timer/"


class _Entry(msgspec.Struct):
    resource: msgspec.Raw


class _Message(msgspec.Struct):
    entry: list[_Entry]


class _HeadedEntry(msgspec.Struct):
    resource: Head


class _Headed(msgspec.Struct):
    entry: list[_HeadedEntry]


class _once(Generic[Found]):
    """A property that is worked out once; functools.cached_property of Python 3.11 takes a lock for it."""

    def __init__(self, work: Callable[[Any], Found]) -> None:
        self._work = work
        self.__doc__ = work.__doc__

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, of: Any, _: type | None = None) -> Found:
        found = of.__dict__[self._name] = self._work(of)
        return found


_message = msgspec.json.Decoder(_Message).decode
_headed = msgspec.json.Decoder(_Headed).decode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event as a handler gets it.

    `subject` is the FHIR reference of the aggregate (`ServiceRequest/<id>`), `version` the aggregate's dense
    event version, `time` care time in UTC, `causation` the id of the event or request that caused it;
    `caused_by_event` says that it was an event. `patient_id` and `referral_id` travel as extensions, so that
    routing decodes no body; events of earlier versions lack them.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    key: str
    version: int
    traceparent: str | None = None
    causation: str | None = None
    patient_id: str | None = None
    referral_id: str | None = None
    caused_by_event: bool = False
    value: bytes = field(repr=False)

    @_once
    def heads(self) -> list[Head]:
        """Type and id of every resource after the MessageHeader, the focus first; nothing else is decoded.

        Raises msgspec.MsgspecError for bytes that are no message Bundle, and ValueError for an empty one.
        """
        heads = [entry.resource for entry in _headed(self.value).entry[1:]]
        if not heads:
            raise ValueError("a message without a focus")
        return heads

    @_once
    def focus(self) -> dict[str, Any]:
        """The resource that the event is about."""
        return _decode(self._raw[0])

    def carried(self, resource_type: str) -> list[dict[str, Any]]:
        """Every carried resource of one type, the focus included."""
        return [
            _decode(raw) if place else self.focus
            for place, (name, raw) in enumerate(zip(self.heads, self._raw, strict=True))
            if name.type == resource_type
        ]

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Every resource after the MessageHeader, the focus first."""
        return [_decode(raw) if place else self.focus for place, raw in enumerate(self._raw)]

    @_once
    def _raw(self) -> list[msgspec.Raw]:
        return [entry.resource for entry in _message(self.value).entry[1:]]

    def headers(self) -> dict[str, str]:
        """The attributes as the headers of the wire, in Kafka's binary mode of CloudEvents."""
        optional = {
            "traceparent": self.traceparent,
            "ce_causationid": self.causation,
            "ce_patientid": self.patient_id,
            "ce_referralid": self.referral_id,
            "ce_causationkind": CAUSED_BY_EVENT if self.caused_by_event else None,
        }
        return {
            "ce_specversion": "1.0",
            "ce_id": self.id,
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_subject": self.subject,
            "ce_time": self.time.isoformat(),
            "ce_version": str(self.version),
            "content-type": "application/fhir+json",
        } | {name: text for name, text in optional.items() if text is not None}

    @classmethod
    def from_wire(cls, *, key: str, headers: Mapping[str, str], value: bytes) -> "Event":
        """Read an event from the wire; raises KeyError or ValueError where an attribute is missing or
        wrong.
        """
        return cls(
            id=headers["ce_id"],
            type=headers["ce_type"],
            source=headers["ce_source"],
            subject=headers["ce_subject"],
            time=datetime.fromisoformat(headers["ce_time"]),
            key=key,
            version=int(headers["ce_version"]),
            traceparent=headers.get("traceparent"),
            causation=headers.get("ce_causationid"),
            patient_id=headers.get("ce_patientid"),
            referral_id=headers.get("ce_referralid"),
            caused_by_event=headers.get("ce_causationkind") == CAUSED_BY_EVENT,
            value=value,
        )
