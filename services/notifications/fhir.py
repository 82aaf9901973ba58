"""Events to what this service must know, and messages to Communications."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications.models import Attempt, KnownAuthorization, KnownReferral, Notification
from services.notifications.states import Audience, Channel, Status
from shared.context import Context
from shared.events.catalog import CATALOG
from shared.events.envelope import Event
from shared.events.topics import TOPICS
from shared.fhir import references
from shared.fhir.codes import APPOINTMENT_KIND_SYSTEM, EVENT_SYSTEM, LUMBAR, AppointmentKind, TaskInput

REFERRAL_IDENTIFIER = f"{LUMBAR}/referral"
_MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_MEDIA = {
    Channel.EMAIL: {"coding": [{"system": _MODES, "code": "EMAILWRIT", "display": "email"}]},
    Channel.WEBHOOK: {"coding": [{"system": _MODES, "code": "ELECTRONIC", "display": "electronic data"}]},
}

Resource = Mapping[str, Any]


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


def news(event: Event) -> News:
    """Read an event for whom it concerns; a meeting's own events name no referral."""
    focus = event.focus
    return News(
        event_id=event.id,
        type=event.type,
        key=event.key,
        time=event.time,
        focus=f"{focus['resourceType']}/{focus['id']}",
        referral=referral_of(focus),
        claim=focus["id"] if focus["resourceType"] == "Claim" else None,
        owner=_owner(event),
        participants=frozenset(_practitioners(focus.get("participant", []), "actor")),
        first=AppointmentKind.SESSION not in _codes(focus.get("appointmentType"), APPOINTMENT_KIND_SYSTEM),
    )


def referral_of(resource: Resource) -> str | None:
    """Find the id of the referral that a resource belongs to, in each of the ways that events name it."""
    if resource["resourceType"] == "ServiceRequest":
        return str(resource["id"])
    named = [
        *_list(resource.get("basedOn")),
        *_list(resource.get("focus")),
        *_list(resource.get("referral")),
    ]
    for reference in named:
        if references.reference_type(reference) == "ServiceRequest":
            return references.local_id(reference)
    identifiers = _list(resource.get("identifier"))
    return next((one["value"] for one in identifiers if one.get("system") == REFERRAL_IDENTIFIER), None)


def known_referral(event: Event) -> KnownReferral:
    """Read `referral.received` for whose referral it is; raises KeyError where its Task lacks an input."""
    task = event.carried("Task")[0]
    return KnownReferral(
        id=event.focus["id"],
        patient_id=event.key,
        requester=references.local_id(task["requester"]),
        site=_inputs(task)[TaskInput.SITE],
    )


def known_authorization(event: Event) -> KnownAuthorization:
    """Read `authorization.requested`: it is published only where a consent names the insurer."""
    claim = event.focus
    return KnownAuthorization(
        claim_id=claim["id"],
        referral_id=referral_of(claim) or "",
        payer=references.local_id(claim["insurer"]),
        consented=True,
    )


def team_ended(event: Event) -> bool:
    """Tell whether the whole team ended, with the referral."""
    return bool(event.focus["status"] == "inactive")


def members(event: Event, *, at: datetime) -> frozenset[str]:
    """Name the practitioners who are on a CareTeam at this time."""
    current = [one for one in event.focus.get("participant", []) if not _over(one.get("period"), at=at)]
    return frozenset(_practitioners(current, "member"))


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
        "sender": {"reference": f"Organization/{ctx.clinic.id}"},
        "recipient": [{"reference": row.recipient}],
        "payload": [{"contentString": text}],
    }
    if row.patient_id is not None:
        resource["subject"] = {"reference": f"{of_referral}/Patient/{row.patient_id}"}
    if row.referral_id is not None:
        resource["basedOn"] = [{"reference": f"{of_referral}/ServiceRequest/{row.referral_id}"}]
    if row.reason is not None:
        resource["statusReason"] = {"text": row.reason}
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
        "focus": [{"reference": one} for one in focus],
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
    return {
        "time": attempt.at.isoformat(),
        "text": f"attempt {attempt.number} {attempt.outcome}{detail}",
    }


def _owner(event: Event) -> str | None:
    tasks = [event.focus] if event.focus["resourceType"] == "Task" else event.carried("Task")
    owner = tasks[0].get("owner", {}) if tasks else {}
    parsed = references.parse(owner)
    return f"{parsed.type}/{parsed.id}" if parsed.type and parsed.id else None


def _practitioners(parts: Iterable[Resource], member: str) -> Iterator[str]:
    for part in parts:
        reference = part.get(member, {})
        if references.reference_type(reference) == "Practitioner":
            yield references.local_id(reference)


def _inputs(task: Resource) -> dict[str, Any]:
    """Give the plain text inputs of a Task by their code."""
    found: dict[str, Any] = {}
    for one in task.get("input", []):
        for coding in one["type"].get("coding", []):
            found[coding["code"]] = one.get("valueString")
    return found


def _codes(concept: Resource | None, system: str) -> list[str]:
    codings = (concept or {}).get("coding", [])
    return [coding["code"] for coding in codings if coding.get("system") == system]


def _over(period: Resource | None, *, at: datetime) -> bool:
    end = (period or {}).get("end")
    if end is None:
        return False
    ended = datetime.fromisoformat(end)
    return ended.date() < at.date() if ended.tzinfo is None else ended <= at


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
