"""What events say: whom they concern, and what this service must know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications.models.rows import KnownAuthorization, KnownOffer, KnownPatient, KnownReferral
from shared.events.catalog import DomainEvent, reading
from shared.events.catalog.careteam import MeetingCaseDecided, MeetingEvent
from shared.events.catalog.referral import AuthorizationEvent, PatientChanged, ReferralEvent, ReferralReceived
from shared.events.catalog.scheduling import AppointmentEvent, OfferEvent, OfferMade, ReplanEvent, SeriesEvent
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, FIRST_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSaid:
    """What an event says of a visit that has a time; `room` and `practitioner` are ids."""

    id: str
    kind: str | None
    practitioner: str | None
    room: str | None
    starts_at: datetime
    ends_at: datetime
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an event says that matters for telling people: ids and references, nothing clinical."""

    event_id: str
    type: str
    key: str
    time: datetime
    focus: str
    referral: str | None
    claim: str | None
    owner: str | None
    participants: frozenset[str]
    first: bool
    visit_kind: str | None = None
    site: str | None = None
    meeting: str | None = None
    visits: tuple[VisitSaid, ...] = ()
    offer: KnownOffer | None = None
    is_by_a_person: bool = False
    is_by_the_patient: bool = False


def news(event: DomainEvent) -> News:
    """Read an event for whom it concerns; a meeting's own events name no referral."""
    focus = event.focus
    tasks = event.carried("Task")
    return News(
        event_id=event.id,
        type=event.type,
        key=event.key,
        time=event.time,
        focus=f"{focus['resourceType']}/{focus['id']}",
        referral=event.referral_id,
        claim=event.claim_id if isinstance(event, AuthorizationEvent) else None,
        owner=reading.owner_of(tasks[0]) if tasks else None,
        participants=frozenset((*reading.people_in(focus.get("participant", []), "actor"), *_asked(tasks))),
        first=not isinstance(event, AppointmentEvent) or event.kind in (None, *FIRST_KINDS),
        visit_kind=event.kind if isinstance(event, AppointmentEvent) else None,
        site=event.site if isinstance(event, ReplanEvent) else None,
        meeting=event.meeting if isinstance(event, MeetingEvent | MeetingCaseDecided) else None,
        visits=tuple(_visits(event)),
        offer=_offer(event) if isinstance(event, OfferEvent) else None,
        is_by_a_person=event.is_by_a_person,
        is_by_the_patient=isinstance(event, AppointmentEvent) and event.is_called_off_by_patient,
    )


def _offer(event: OfferEvent) -> KnownOffer:
    starts_at, ends_at = event.offered
    return KnownOffer(
        id=str(event.focus["id"]),
        visit_id=event.visit,
        referral_id=event.referral,
        practitioner=event.practitioner,
        starts_at=starts_at,
        ends_at=ends_at,
        until=event.until,
        stands=isinstance(event, OfferMade),
    )


def _visits(event: DomainEvent) -> Iterator[VisitSaid]:
    """Read the visits of patients that an event is about; what has no time yet is none."""
    if isinstance(event, AppointmentEvent):
        said = [event.focus]
    else:
        said = event.carried("Appointment") if isinstance(event, SeriesEvent) else []
    for visit in said:
        if "start" not in visit or "end" not in visit:
            continue
        kinds = reading.codes_of(visit.get("appointmentType"), system=APPOINTMENT_KIND_SYSTEM)
        actors = [one.get("actor", {}) for one in visit.get("participant", ())]
        yield VisitSaid(
            id=str(visit["id"]),
            kind=next(iter(kinds), None),
            practitioner=_actor(actors, "Practitioner"),
            room=_actor(actors, "Location"),
            starts_at=reading.moment(visit["start"]),
            ends_at=reading.moment(visit["end"]),
            status=str(visit["status"]),
        )


def _actor(actors: Sequence[Mapping[str, Any]], resource_type: str) -> str | None:
    """Give the id of the first actor of a type: who leads a visit, where it is."""
    prefix = f"{resource_type}/"
    references = (str(actor.get("reference", "")) for actor in actors)
    return next((one.rpartition("/")[2] for one in references if prefix in one), None)


def _asked(tasks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Name the practitioners of whom one is to act on a Task."""
    for task in tasks:
        for recipient in task.get("restriction", {}).get("recipient", ()):
            yield recipient["reference"].removeprefix("Practitioner/")


def known_referral(event: ReferralEvent) -> KnownReferral:
    """Read whose referral it is; raises KeyError where its Task lacks an input."""
    return KnownReferral(id=event.referral, patient_id=event.key, requester=event.requester, site=event.site)


def received_referral(event: ReferralReceived) -> KnownReferral:
    """Read whose referral it is, and of the patient who it is and how to reach them."""
    referral = known_referral(event)
    referral.person, referral.contact_points = event.person, event.contact_points
    return referral


def known_patient(event: PatientChanged) -> KnownPatient:
    """Read who a patient is now, how to reach them, and by what they permit it."""
    return KnownPatient(
        id=str(event.focus["id"]),
        event_version=event.version,
        person=event.person,
        contact_points=event.contact_points,
        channel_consents=event.channel_consents,
    )


def known_authorization(event: AuthorizationEvent) -> KnownAuthorization:
    """Read `authorization.requested`: it is published only where a consent names the insurer."""
    return KnownAuthorization(
        claim_id=event.claim_id, referral_id=event.referral_id or "", payer=event.insurer, consented=True
    )
