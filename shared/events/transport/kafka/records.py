"""Records as Kafka gives them, made into records as consumers take them, whatever is in them.

Invariant: every record of a topic becomes a Record whose key and headers a database takes. What is not UTF-8,
or no text at all, is replaced, and incoming.py finds that it is no event.
"""

from aiokafka import ConsumerRecord

from shared.events.transport.base import Record

_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def as_record(found: ConsumerRecord, *, topic: str) -> Record:
    """Make a Record of what Kafka gave; `topic` is its name without a prefix."""
    return Record(
        topic=topic,
        partition=found.partition,
        offset=found.offset,
        key=_text(found.key),
        headers={_clean(name): _text(value) for name, value in found.headers},
        value=found.value or b"",
    )


def _text(raw: bytes | None) -> str:
    return _clean((raw or b"").decode(errors="replace"))


def _clean(text: str) -> str:
    return text.replace("\0", _UNKNOWN)
