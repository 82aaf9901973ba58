"""A record as the consumer takes it: an event, or something that is none but must not be lost.

Invariants:
- Every record gets an id and a key, whatever is wrong with it, so that it can be held and shown.
- Whatever makes a record malformed lies in the record: trying it again is of no use.
"""

import msgspec

from shared.events.envelope import CAUSED_BY_EVENT, Event
from shared.events.message import LARGEST_VALUE
from shared.events.transport.base import Record

# More than ids and keys of ours ever have, and less than what an index takes.
LONGEST_ID = 200


class MalformedEvent(Exception):
    """The record is no event of ours: an attribute is missing or wrong, or the value is no message Bundle."""


class IncomingRecord:
    """One record with what could be read of it.

    `id` and `key` are the event's, or the record's place where it has none that can be one; `type` is what
    its header says.
    """

    __slots__ = ("_event", "id", "key", "record", "type")

    def __init__(self, record: Record) -> None:
        place = f"{record.topic}/{record.partition}/{record.offset}"
        self.record = record
        self.id = _usable(record.headers.get("ce_id", "")) or place
        self.key = _usable(record.key) or place
        self.type = record.headers.get("ce_type", "")
        self._event: Event | None = None

    @property
    def event(self) -> Event:
        """The event; raises MalformedEvent where the record is none."""
        if self._event is None:
            self._event = self._read()
        return self._event

    def _read(self) -> Event:
        record = self.record
        if self.key != record.key or record.headers.get("ce_specversion") != "1.0":
            raise MalformedEvent("no key, or not CloudEvents 1.0")
        if len(record.value) > LARGEST_VALUE:
            raise MalformedEvent("too large")
        try:
            event = Event.from_wire(key=record.key, headers=record.headers, value=record.value)
            well_formed = event.version > 0 and event.id == self.id and event.time.tzinfo is not None
            well_formed &= bool(event.heads[0].type)
        except (KeyError, ValueError, TypeError, RecursionError, msgspec.MsgspecError) as error:
            raise MalformedEvent(type(error).__name__) from None
        if not well_formed:
            raise MalformedEvent("no id, no version, or a time without a zone")
        return event

    @property
    def cause(self) -> str | None:
        """The id of the event that caused it; None where it was none, or nobody said."""
        headers = self.record.headers
        of_event = headers.get("ce_causationkind") == CAUSED_BY_EVENT
        return headers.get("ce_causationid") if of_event else None

    @property
    def malformed(self) -> bool:
        """Return whether the record is no event."""
        try:
            return not self.event
        except MalformedEvent:
            return True


def _usable(text: str) -> str:
    return text if len(text) <= LONGEST_ID else ""
