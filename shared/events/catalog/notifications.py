"""Events that `notifications` publishes: what became of each message, and what patients answered."""

from datetime import datetime
from typing import Any

from shared.events.catalog import reading
from shared.events.catalog.types import DomainEvent
from shared.events.topics import NOTIFICATIONS
from shared.fhir.codes import MESSAGE_SYSTEM, OFFER_SYSTEM, REMINDER
from shared.fhir.reasons import reasons_of
from shared.reasons import Reason


class NotificationDelivered(
    DomainEvent,
    name="notification.delivered",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel took the message.",
):
    """A message reached its channel."""


class NotificationUndeliverable(
    DomainEvent,
    name="notification.undeliverable",
    topic=NOTIFICATIONS,
    focus="Communication",
    emitted="The channel refused the message for good, or there is no channel; statusReason says which.",
):
    """A message did not reach its channel and will not."""


class PatientMessageEvent(DomainEvent, topic=NOTIFICATIONS, focus="Communication"):
    """What became of a message to a patient."""

    @property
    def visit(self) -> str | None:
        """The id of the visit that it was about, of several the first; None where it was about none."""
        about = [one["reference"] for one in self.focus.get("about", ())]
        return next((one.rpartition("/")[2] for one in about if "Appointment/" in one), None)

    @property
    def series(self) -> str | None:
        """The id of the series that it was about, None where it was about none."""
        about = [one["reference"] for one in self.focus.get("about", ())]
        return next((one.rpartition("/")[2] for one in about if "List/" in one), None)

    @property
    def is_reminder(self) -> bool:
        """Whether it reminded of a visit that was told before."""
        topics = reading.codes_of(self.focus.get("topic"), system=MESSAGE_SYSTEM)
        return REMINDER in topics

    @property
    def reasons(self) -> list[Reason]:
        """Why it did not arrive; empty where it did."""
        return reasons_of(self.focus.get("statusReason", {}))


class PatientTold(
    PatientMessageEvent,
    name="patient.told",
    emitted="The channel took a message to a patient.",
):
    """A message to a patient reached its channel."""


class PatientNotTold(
    PatientMessageEvent,
    name="patient.not-told",
    emitted="A message to a patient did not go, or was refused; statusReason says why.",
):
    """A message to a patient did not reach its channel and will not."""


class AppointmentAnswered(
    DomainEvent,
    name="appointment.answered",
    topic=NOTIFICATIONS,
    focus="AppointmentResponse",
    emitted="A patient answered about a visit by the link of a message: comes, cannot come, another time.",
):
    """A patient said whether they come."""

    @property
    def visit(self) -> str:
        """The id of the visit."""
        reference: str = self.focus["appointment"]["reference"]
        return reference.rpartition("/")[2]

    @property
    def answer(self) -> str:
        """`accepted`, `declined`, or `tentative` where another time is asked for."""
        return str(self.focus["participantStatus"])

    @property
    def starts_at(self) -> datetime:
        """When the visit was to begin of which the patient was told."""
        return reading.moment(self.focus["start"])

    @property
    def comment(self) -> str | None:
        """What the patient wrote to it."""
        found: Any = self.focus.get("comment")
        return None if found is None else str(found)


class OfferAnswered(
    DomainEvent,
    name="offer.answered",
    topic=NOTIFICATIONS,
    focus="AppointmentResponse",
    emitted="A patient answered by the link of a message whether they take the time that was offered.",
):
    """A patient takes an earlier time, or keeps their own."""

    @property
    def offer(self) -> str:
        """The id of the Task that offers the time."""
        found = (one["value"] for one in self.focus["identifier"] if one["system"] == OFFER_SYSTEM)
        return str(next(found))

    @property
    def takes(self) -> bool:
        """Whether they take it."""
        return bool(self.focus["participantStatus"] == "accepted")


class IntakeAnswered(
    DomainEvent,
    name="intake.answered",
    topic=NOTIFICATIONS,
    focus="QuestionnaireResponse",
    emitted="A patient filled in the intake form behind the link of a message, before the first visit.",
):
    """A patient wrote what the team should know at the first visit."""

    @property
    def authored(self) -> datetime:
        """When it was filled in."""
        return reading.moment(self.focus["authored"])
