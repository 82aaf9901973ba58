"""Events that `scheduling` publishes: appointments, the waitlist, series, the guarantee, the directory.

Every Appointment says `serviceType` = the programme and, beside it, the visit that the programme names;
`appointmentType` = the kind (`shared.fhir.codes.AppointmentKind`), `basedOn` = the referral, and its
participants with the patient first, then the clinician who leads it. Those of a first appointment carry the
guarantee's Task (code `guarantee`): focus = the ServiceRequest, restriction.period.end = the due date,
businessStatus = planned, on-track, at-risk, forecast-breach, breached, met or ended, priority = the
referral's.
"""

from datetime import datetime
from typing import Any

import msgspec

from shared.events.catalog import people, reading
from shared.events.catalog.types import DomainEvent
from shared.events.topics import SCHEDULING
from shared.fhir.codes import (
    APPOINTMENT_KIND_SYSTEM,
    CANCELLATION_SYSTEM,
    FIRST_KINDS,
    PROGRAMME_SYSTEM,
    ROSTER_EXTENSION,
    AppointmentKind,
    TaskInput,
    is_the_patients,
)
from shared.fhir.reasons import reasons_of, reasons_of_notes
from shared.people import KnownPerson
from shared.reasons import Reason


class AppointmentEvent(DomainEvent, topic=SCHEDULING, focus="Appointment", carries=("Task",)):
    """What happened to an appointment; that of a first one carries the guarantee."""

    @property
    def kind(self) -> str | None:
        """The kind of visit that it is (`shared.fhir.codes.AppointmentKind`), None where it says none."""
        kinds = reading.codes_of(self.focus.get("appointmentType"), system=APPOINTMENT_KIND_SYSTEM)
        return next(iter(kinds), None)

    @property
    def is_first(self) -> bool:
        """Whether it is the first assessment, by one discipline or by several, and nothing else."""
        return self.kind in FIRST_KINDS

    @property
    def is_session(self) -> bool:
        """Whether it is a session of a series."""
        return self.kind == AppointmentKind.SESSION

    @property
    def programme(self) -> str:
        """The programme for which it is."""
        return reading.codes_of(self.focus["serviceType"][0], system=PROGRAMME_SYSTEM)[0]

    @property
    def practitioner(self) -> str:
        """The id of the clinician; raises StopIteration where there is none."""
        return next(reading.people_in(self.focus["participant"], "actor"))

    @property
    def person(self) -> KnownPerson | None:
        """Who the patient is, None where the event does not carry them."""
        return next((people.person(patient) for patient in self.carried("Patient")), None)

    @property
    def starts_at(self) -> datetime | None:
        """When it begins, None on the waitlist."""
        start = self.focus.get("start")
        return None if start is None else reading.moment(start)

    @property
    def is_called_off_by_patient(self) -> bool:
        """Whether the patient called it off, or has died: the clinic did not."""
        codes = reading.codes_of(self.focus.get("cancelationReason"), system=CANCELLATION_SYSTEM)
        return any(is_the_patients(code) for code in codes)

    @property
    def reasons(self) -> list[Reason]:
        """Why it was cancelled, with the sentence of each reason; empty where nothing was said."""
        return reasons_of(self.focus.get("cancelationReason", {}))

    @property
    def cancelled_because(self) -> str:
        """Why it was cancelled, in the words that were given; empty where none were."""
        stated = self.focus.get("cancelationReason", {})
        displayed = next((coding.get("display", "") for coding in stated.get("coding", [])), "")
        return str(stated.get("text") or displayed)


class AppointmentBooked(
    AppointmentEvent,
    name="appointment.booked",
    carries=("Patient",),
    emitted="A visit was booked, a first one again too; of a new first one the Patient says for whom.",
):
    """A visit has a time; `appointmentType` says of which kind it is."""


class AppointmentMoved(AppointmentEvent, name="appointment.moved", emitted="An appointment got a new time."):
    """An appointment has another time."""


class AppointmentReassigned(
    AppointmentEvent,
    name="appointment.reassigned",
    emitted="An appointment has another clinician or room at the time that it had.",
):
    """An appointment stands at its time with somebody else, or somewhere else."""


class AppointmentCancelled(
    AppointmentEvent,
    name="appointment.cancelled",
    emitted="An appointment was cancelled; cancelationReason says why.",
):
    """An appointment will not take place."""


class AppointmentArrived(AppointmentEvent, name="appointment.arrived", emitted="The patient arrived."):
    """The patient is there."""


class AppointmentCheckedIn(
    AppointmentEvent, name="appointment.checked-in", emitted="The patient is in the room."
):
    """The patient is in the room."""


class AppointmentFulfilled(
    AppointmentEvent, name="appointment.fulfilled", emitted="The appointment took place."
):
    """The appointment took place."""


class AppointmentMissed(AppointmentEvent, name="appointment.missed", emitted="The patient did not come."):
    """The patient did not come."""


class AppointmentCorrected(
    AppointmentEvent,
    name="appointment.corrected",
    emitted="A status was recorded by mistake and is right now; an extension says why, and what follows.",
):
    """What was said of an appointment was wrong, and is right now."""

    @property
    def status(self) -> str:
        """What it is now."""
        return str(self.focus["status"])


class WaitlistJoined(
    AppointmentEvent,
    name="waitlist.joined",
    emitted="No fitting time was free; the Appointment is `waitlist`.",
):
    """The patient waits for a time."""


class WaitlistLeft(
    AppointmentEvent,
    name="waitlist.left",
    emitted="The patient left the waitlist: booked, or the referral ended.",
):
    """The patient no longer waits."""


class SeriesEvent(DomainEvent, topic=SCHEDULING, focus="List"):
    """What happened to a series of sessions; the List names each."""

    @property
    def reasons(self) -> list[Reason]:
        """Why it is as it is, and what is free instead, with the sentence of each reason."""
        return reasons_of_notes(self.focus.get("note", []))


class SeriesBooked(
    SeriesEvent,
    name="series.booked",
    carries=("Appointment",),
    emitted="A whole series of sessions was booked; the List names each.",
):
    """A whole series has its times."""


class SeriesNotBooked(
    SeriesEvent,
    name="series.not-booked",
    emitted="No whole series fits the grant; the List's note says which session failed and why.",
):
    """No series could be booked."""


class SeriesLeftShort(
    SeriesEvent,
    name="series.left-short",
    emitted="A missed session, or more that was granted, finds no time; the List's note says whose and why.",
):
    """A series that stands has fewer sessions than it wants."""


class SeriesSuspended(
    SeriesEvent,
    name="series.suspended",
    carries=("Appointment",),
    emitted="The grant fell away: the sessions not yet held were cancelled.",
):
    """What was still to come of a series was cancelled."""


class SeriesCompleted(
    SeriesEvent, name="series.completed", emitted="The last session of the series took place."
):
    """A series is over."""


class OfferEvent(DomainEvent, topic=SCHEDULING, focus="Task"):
    """What happened to the offer of a freed time; the Task names the visit, the time, and until when."""

    @property
    def visit(self) -> str:
        """The id of the visit that would take place then."""
        return str(self.focus["focus"]["reference"]).rpartition("/")[2]

    @property
    def offered(self) -> tuple[datetime, datetime]:
        """From when until when the time is that is offered."""
        [period] = reading.inputs_of(self.focus)[TaskInput.OFFERED]
        return reading.moment(period["start"]), reading.moment(period["end"])

    @property
    def practitioner(self) -> str:
        """The id of the clinician whose time it is."""
        [who] = reading.inputs_of(self.focus)[TaskInput.OFFERED_WITH]
        return str(who["reference"]).rpartition("/")[2]

    @property
    def until(self) -> datetime:
        """Until when it can be answered."""
        return reading.moment(self.focus["restriction"]["period"]["end"])

    @property
    def reasons(self) -> list[Reason]:
        """What is offered, or how it ended, with the sentence of each reason."""
        return reasons_of(self.focus.get("statusReason", {}))


class OfferMade(
    OfferEvent,
    name="offer.made",
    emitted="A freed time was offered to a patient, who has until then to answer.",
):
    """A patient is asked whether they take an earlier time."""


class OfferAccepted(
    OfferEvent, name="offer.accepted", emitted="The patient takes the time that was offered."
):
    """The first yes to a freed time."""


class OfferDeclined(OfferEvent, name="offer.declined", emitted="The patient keeps the time that they have."):
    """A no to a freed time."""


class OfferEnded(
    OfferEvent, name="offer.ended", emitted="An offer ended without an answer; the Task says why."
):
    """Nobody answered in time, somebody else was first, or the visit changed."""


class ReplanEvent(DomainEvent, topic=SCHEDULING, focus="Task", keyed_by="aggregate"):
    """What happened to the Task that names visits of several patients; it names no patient."""

    @property
    def site(self) -> str:
        """The site whose visits they are."""
        return str(reading.inputs_of(self.focus)[TaskInput.SITE][0])


class ConflictsFound(
    ReplanEvent,
    name="calendar.conflicts-found",
    emitted="Visits no longer fit hours, absences, rooms or closed days; the Task names each, none is moved.",
):
    """Booked visits do not fit the clinic's description any more."""


class ConflictsResolved(
    ReplanEvent,
    name="calendar.conflicts-resolved",
    emitted="Every visit that the Task named fits again, was moved or called off, or a coordinator ended it.",
):
    """Nothing is left to plan anew."""


class DirectoryChanged(
    DomainEvent,
    name="directory.changed",
    topic=SCHEDULING,
    focus=("Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService"),
    keyed_by="aggregate",
    emitted="A resource of the clinic's directory is new or has changed; it is about no patient.",
):
    """What the directory says of an organisation, a place, a person or a programme now."""

    @property
    def body(self) -> bytes:
        """The resource, byte by byte as scheduling keeps it."""
        return msgspec.json.encode(self.focus)

    @property
    def resource_version(self) -> int:
        """Its version."""
        return int(self.focus["meta"]["versionId"])

    @property
    def changed_at(self) -> datetime:
        """When this version was made."""
        return reading.moment(self.focus["meta"]["lastUpdated"])


class RosterChanged(
    DomainEvent,
    name="roster.changed",
    topic=SCHEDULING,
    focus="Basic",
    keyed_by="aggregate",
    emitted="People, hours, absences, rooms or closed days of a site changed; it is the whole roster now.",
):
    """What the roster of a site is now, for services alone: it has the e-mail addresses of colleagues."""

    @property
    def document(self) -> dict[str, Any]:
        """The roster, as `shared.clinic.roster` reads it."""
        written = next(one for one in self.focus["extension"] if one["url"] == ROSTER_EXTENSION)
        found: dict[str, Any] = msgspec.json.decode(written["valueString"])
        return found

    @property
    def revision(self) -> int:
        """Which revision of the site's roster it is."""
        return int(self.focus["meta"]["versionId"])

    @property
    def changed_at(self) -> datetime:
        """When this revision was made."""
        return reading.moment(self.focus["meta"]["lastUpdated"])


class GuaranteeEvent(DomainEvent, topic=SCHEDULING, focus="Task"):
    """What became of the guarantee."""


class GuaranteePromised(
    GuaranteeEvent,
    name="guarantee.promised",
    emitted="A first visit is promised by the Task's due day; its own day follows by the plan of an evening.",
):
    """The patient will be seen by a day; the time follows."""


class GuaranteeAtRisk(
    GuaranteeEvent,
    name="guarantee.at-risk",
    emitted="Unbooked near the due date, or no time before it fits.",
):
    """The guarantee may not be kept."""


class GuaranteeForecastBreach(
    GuaranteeEvent,
    name="guarantee.forecast-breach",
    emitted="The plan of an evening finds no day in time for who waits for one; said once, while that lasts.",
):
    """The guarantee is foreseen to break; nothing is decided yet."""


class GuaranteeForecastLifted(
    GuaranteeEvent,
    name="guarantee.forecast-lifted",
    emitted="The plan of a later evening finds a day in time again.",
):
    """The guarantee is no longer foreseen to break."""


class GuaranteeAttentionNeeded(
    GuaranteeEvent,
    name="guarantee.attention-needed",
    emitted="A patient is to be seen at once (priority stat): the coordinator sees to it beside the booking.",
):
    """Somebody has to see to it now that a patient is seen."""


class GuaranteeBreached(
    GuaranteeEvent,
    name="guarantee.breached",
    emitted="The due date passed without a first appointment held.",
):
    """The guarantee was not kept."""


class GuaranteeSecondBreached(
    GuaranteeEvent,
    name="guarantee.second-breached",
    emitted="The end of the second promise, the same for every priority, passed and nobody was seen.",
):
    """The second promise was not kept either."""


class BookingEnded(
    GuaranteeEvent,
    name="booking.ended",
    emitted="The patient died: what was still to come was called off, and nothing is booked any more.",
):
    """Nothing is booked for a referral any more; statusReason says why."""


class GuaranteeMet(
    GuaranteeEvent,
    name="guarantee.met",
    emitted="The first appointment took place inside the promise.",
):
    """The guarantee was kept."""
