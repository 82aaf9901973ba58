"""Messages as Communication."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.careteam.fhir.elements import Resource, practitioner
from services.careteam.fhir.request_parsing import Findings, referred
from services.careteam.models.rows import Message
from shared.context import Context
from shared.fhir.elements import referral_reference
from shared.fhir.instants import to_the_second
from shared.fhir.references import own_id


def asked_recipients(
    data: Mapping[str, Any], *, members: Collection[str], sender: str, findings: Findings
) -> list[str]:
    """Read whom a message is for: the named members of the team, or all others where nobody is named."""
    recipients = []
    for index, element in enumerate(data.get("recipient", [])):
        expression = f"Communication.recipient[{index}]"
        person = referred(element, "Practitioner", expression=expression, findings=findings)
        if person is not None and person not in members:
            findings.add("this is no member of the patient's team", expression=expression)
        elif person is not None:
            recipients.append(person)
    return recipients or sorted(member for member in members if member != sender)


def check_message(data: Mapping[str, Any], *, sender: str, findings: Findings) -> None:
    """Note what keeps a Communication from being a message of this sender."""
    if data.get("status") != "completed":
        findings.add("a message that is sent is completed", expression="Communication.status")
    if not any(payload.get("contentString", "").strip() for payload in data.get("payload", [])):
        findings.add(
            "a message has a text", expression="Communication.payload.contentString", code="required"
        )
    where = "Communication.sender"
    if data.get("sender") and own_id(data["sender"], urls=findings.urls, expression=where) != sender:
        findings.add("nobody writes in another's name", expression=where)


def answered(data: Mapping[str, Any], *, findings: Findings) -> str | None:
    """Read which message this one answers, if it says so."""
    if not data.get("inResponseTo"):
        return None
    return referred(
        data["inResponseTo"][0],
        "Communication",
        expression="Communication.inResponseTo[0]",
        findings=findings,
    )


def message_overlay(ctx: Context, message: Message, *, recipients: Sequence[str]) -> Resource:
    """The members of a Communication that are ours."""
    sent: datetime = message.sent_at
    return {
        "basedOn": [referral_reference(ctx, "ServiceRequest", message.referral_id)],
        "subject": referral_reference(ctx, "Patient", message.patient_id),
        "sender": practitioner(ctx, message.sender),
        "recipient": [practitioner(ctx, recipient) for recipient in recipients],
        "sent": to_the_second(sent),
        "received": None,
    }
