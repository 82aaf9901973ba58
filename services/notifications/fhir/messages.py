"""Messages as Communications, and as what a party's own system is sent."""

from collections.abc import Sequence
from typing import Any

from services.notifications import texts
from services.notifications.models.rows import Attempt, Notification
from services.notifications.states import Audience, Channel, Status
from shared.context import Context
from shared.events.catalog import CATALOG
from shared.events.topics import TOPICS
from shared.fhir.codes import EVENT_SYSTEM, LUMBAR, MESSAGE_SYSTEM
from shared.fhir.elements import directory_reference
from shared.fhir.reasons import concept

_MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_MEDIA = {
    Channel.EMAIL: {"coding": [{"system": _MODES, "code": "EMAILWRIT", "display": "email"}]},
    Channel.SMS: {"coding": [{"system": _MODES, "code": "SMSWRIT", "display": "SMS message"}]},
    Channel.TELEPHONE: {"coding": [{"system": _MODES, "code": "PHONE", "display": "telephone"}]},
    Channel.WEBHOOK: {"coding": [{"system": _MODES, "code": "ELECTRONIC", "display": "electronic data"}]},
}

_OF_SCHEDULING = ("Appointment/", "List/")


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
        "topic": {"coding": [_topic(row)]},
        "medium": [_MEDIA[Channel(row.channel)]],
        "sender": directory_reference(ctx.clinic, f"Organization/{ctx.clinic.id}"),
        "recipient": [_recipient(ctx, row)],
        "payload": [{"contentString": text}],
    }
    if row.patient_id is not None:
        resource["subject"] = {"reference": f"{of_referral}/Patient/{row.patient_id}"}
    if (about := _about(row)) is not None:
        resource["about"] = [{"reference": f"{ctx.urls.base}/scheduling/fhir/{about}"}]
    if row.referral_id is not None:
        resource["basedOn"] = [{"reference": f"{of_referral}/ServiceRequest/{row.referral_id}"}]
    if row.reason is not None:
        resource["statusReason"] = concept([row.reason], texts.REASONS)
    if row.status == Status.COMPLETED and row.sent_at is not None:
        resource["sent"] = row.sent_at.isoformat()
    if attempts:
        resource["note"] = [_note(attempt) for attempt in attempts]
    return resource


def _about(row: Notification) -> str | None:
    """Name the visit, the series, or of several visits the first, of which a patient is told."""
    if row.visit_id is not None:
        return f"Appointment/{row.visit_id}"
    is_ours = row.audience == Audience.PATIENT and (row.focus or "").startswith(_OF_SCHEDULING)
    return row.focus if is_ours else None


def _topic(row: Notification) -> dict[str, str]:
    """Say what happened, or what comes: a reminder is of no event."""
    system = EVENT_SYSTEM if row.event_type in CATALOG else MESSAGE_SYSTEM
    return {"system": system, "code": row.event_type}


def _recipient(ctx: Context, row: Notification) -> dict[str, Any]:
    if row.audience == Audience.PATIENT:
        return {"reference": f"{ctx.urls.base}/referral/fhir/{row.recipient}"}
    return directory_reference(ctx.clinic, row.recipient)


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
