"""Events to what this service must know, and messages to Communications."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications import texts
from services.notifications.models import (
    Attempt,
    KnownAuthorization,
    KnownPatient,
    KnownReferral,
    Notification,
)
from services.notifications.states import Audience, Channel, Status
from shared.context import Context
from shared.events.catalog import CATALOG, DomainEvent, reading
from shared.events.catalog.careteam import MeetingCaseDecided, MeetingEvent
from shared.events.catalog.referral import (
    AuthorizationEvent,
    PatientChanged,
    ReferralEvent,
    ReferralReceived,
)
from shared.events.catalog.scheduling import AppointmentEvent, ReplanEvent
from shared.events.topics import TOPICS
from shared.fhir.codes import EVENT_SYSTEM, FIRST_KINDS, LUMBAR
from shared.fhir.elements import directory_reference
from shared.fhir.reasons import concept

_MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_MEDIA = {
    Channel.EMAIL: {"coding": [{"system": _MODES, "code": "EMAILWRIT", "display": "email"}]},
    Channel.WEBHOOK: {"coding": [{"system": _MODES, "code": "ELECTRONIC", "display": "electronic data"}]},
}


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
    )


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


def communication(
    ctx: Context, row: Notification, attempts: Sequence[Attempt], *, text: str
) -> dict[str, Any]:
    """Render a message with its attempts; `text` is the sentence that it says.

    What another service owns is named by its absolute address.
    """
    of_referral = f"{ctx.urls.base}/referral/fhir"
    resource: dict[str, Any] = {
        "resourceType": "Communication",
        "id": str(row.id),
        "identifier": [{"system": f"{LUMBAR}/notification-event", "value": row.event_id}],
        "status": row.status,
        "topic": {"coding": [{"system": EVENT_SYSTEM, "code": row.event_type}]},
        "medium": [_MEDIA[Channel(row.channel)]],
        "sender": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "recipient": [directory_reference(ctx.clinic, row.recipient)],
        "payload": [{"contentString": text}],
    }
    if row.patient_id is not None:
        resource["subject"] = {"reference": f"{of_referral}/Patient/{row.patient_id}"}
    if row.referral_id is not None:
        resource["basedOn"] = [{"reference": f"{of_referral}/ServiceRequest/{row.referral_id}"}]
    if row.reason is not None:
        resource["statusReason"] = concept([row.reason], texts.REASONS)
    if row.status == Status.COMPLETED and row.sent_at is not None:
        resource["sent"] = row.sent_at.isoformat()
    if attempts:
        resource["note"] = [_note(attempt) for attempt in attempts]
    return resource


def webhook_message(ctx: Context, row: Notification) -> dict[str, Any]:
    """Say to a party's system what happened and where it stands, and nothing else; always the same bytes.

    A referrer may hear of more than it may read (a plan was activated): its referral is named as well.
    """
    service = TOPICS[CATALOG[row.event_type].topic].publisher
    focus = [f"{ctx.urls.base}/{service}/fhir/{row.focus}"]
    if row.audience == Audience.REFERRER and row.focus != f"ServiceRequest/{row.referral_id}":
        focus.append(f"{ctx.urls.base}/referral/fhir/ServiceRequest/{row.referral_id}")
    header = {
        "resourceType": "MessageHeader",
        "id": str(row.id),
        "eventCoding": {"system": EVENT_SYSTEM, "code": row.event_type},
        "source": {"name": ctx.clinic.name, "endpoint": ctx.urls.base},
        "focus": [{"reference": address} for address in focus],
    }
    return {
        "resourceType": "Bundle",
        "id": str(row.id),
        "type": "message",
        "timestamp": row.created_at.isoformat(),
        "entry": [{"fullUrl": f"urn:uuid:{row.id}", "resource": header}],
    }


def _note(attempt: Attempt) -> dict[str, str]:
    detail = f": {attempt.detail}" if attempt.detail else ""
    return {"time": attempt.at.isoformat(), "text": f"attempt {attempt.number} {attempt.outcome}{detail}"}
