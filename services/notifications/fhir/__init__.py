"""Events to what this service must know, messages to Communications, links to what a patient is shown."""

from services.notifications.fhir import events, links, messages

__all__ = ["events", "links", "messages"]
