"""Write what the catalog says where people and tools read it: docs/events.md and docs/asyncapi.json.

`python -m shared.events.document [FOLDER]` writes both; a test holds the committed files to the catalog.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shared.events.catalog import CATALOG, DomainEvent
from shared.events.topics import TOPICS, Topic

_BUNDLE = "http://hl7.org/fhir/R4B/fhir.schema.json#/definitions/Bundle"
_ATTRIBUTES = {
    "ce_specversion": ("1.0, always", True),
    "ce_id": ("the event's id, a uuid7", True),
    "ce_type": ("the event type", True),
    "ce_source": ("the publishing service", True),
    "ce_subject": ("the aggregate, as a FHIR reference", True),
    "ce_time": ("care time in UTC", True),
    "ce_version": ("the aggregate's event version, dense from 1", True),
    "ce_causationid": ("the event or request that caused it", False),
    "ce_causationkind": ("`event` where an event caused it, and no request or timer", False),
    "traceparent": ("W3C trace context of the publishing span", False),
    "content-type": ("application/fhir+json, always", True),
}


def markdown() -> str:
    """Give docs/events.md."""
    return "\n".join([*_introduction(), *_topics(), *(line for topic in _used() for line in _section(topic))])


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lumbar events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in binary mode around FHIR R4B message Bundles.",
        },
        "defaultContentType": "application/fhir+json",
        "channels": {topic.name: _channel(topic) for topic in _used()},
        "operations": {f"{topic.publisher}.publishes": _operation(topic) for topic in _used()},
        "components": {
            "messages": {event.name: _message(event) for event in CATALOG.values()},
            "schemas": {"attributes": _attributes_schema()},
        },
    }


def write(folder: Path) -> None:
    """Write both files into a folder."""
    (folder / "events.md").write_text(markdown())
    (folder / "asyncapi.json").write_text(json.dumps(asyncapi(), indent=2) + "\n")


def _introduction() -> list[str]:
    return [
        "# Events",
        "",
        "Generated from `shared/events/catalog/` by `python -m shared.events.document`; do not edit.",
        "",
        "An event is a CloudEvent 1.0 in binary mode: its attributes are headers, its value is a FHIR R4B",
        "message `Bundle`: a `MessageHeader` (eventCoding = the event type, focus = what it is about), then",
        "the focus, then what it carries. The key is the patient's id, so that one patient's events of",
        "one topic stay in order; between topics there is no order.",
        "",
        "| Header | Holds |",
        "| --- | --- |",
        *_attribute_rows(),
        "",
    ]


def _attribute_rows() -> list[str]:
    return [
        f"| `{name}` | {text}{'' if required else ' (optional)'} |"
        for name, (text, required) in _ATTRIBUTES.items()
    ]


def _topics() -> list[str]:
    return [
        "| Topic | Published by | Partitions on Kafka | Kept |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{topic.name}` | {topic.publisher} | {topic.partitions} | {topic.retention_days} days |"
            for topic in TOPICS.values()
        ),
        "",
        "`feed` is the live feed's own log; only `notifications` reads it.",
        "",
    ]


def _section(topic: Topic) -> Iterable[str]:
    yield from (f"## {topic.name}", "")
    yield from ("| Event | When | Focus | Carries | Key |", "| --- | --- | --- | --- | --- |")
    for event in _events_of(topic):
        carries, about = ", ".join(event.carries) or "-", ", ".join(event.focus_types)
        yield f"| `{event.name}` | {event.emitted} | {about} | {carries} | {event.keyed_by} |"
    yield ""


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Everything that {topic.publisher} says, in order for each key.",
        "messages": {
            event.name: {"$ref": f"#/components/messages/{event.name}"} for event in _events_of(topic)
        },
        "bindings": {
            "kafka": {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": "0.5.0"}
        },
    }


def _operation(topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.name}"} for event in _events_of(topic)],
    }


def _message(event: type[DomainEvent]) -> dict[str, Any]:
    carries = f", with {', '.join(event.carries)}" if event.carries else ""
    return {
        "name": event.name,
        "title": event.name,
        "summary": event.emitted,
        "description": f"Focus: {' or '.join(event.focus_types)}{carries}. Keyed by the {event.keyed_by}.",
        "contentType": "application/fhir+json",
        "headers": {"$ref": "#/components/schemas/attributes"},
        "payload": {"$ref": _BUNDLE},
    }


def _attributes_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name, (_, required) in _ATTRIBUTES.items() if required],
        "properties": {
            name: {"type": "string", "description": text} for name, (text, _) in _ATTRIBUTES.items()
        },
    }


def _used() -> list[Topic]:
    return [topic for topic in TOPICS.values() if _events_of(topic)]


def _events_of(topic: Topic) -> list[type[DomainEvent]]:
    return [event for event in CATALOG.values() if event.topic == topic.name]


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs"))
