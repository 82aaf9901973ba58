"""What an e-mail says: that there is news, where it is read, and an opaque reference. Nothing else."""

from dataclasses import dataclass
from uuid import UUID

from services.notifications.rules import patient_mail
from shared.clinic import Clinic


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An e-mail before it has a recipient; the same notification always has the same `message_id`."""

    message_id: str
    sender: str
    subject: str
    body: str


def mail(notification: UUID, *, urgent: bool, clinic: Clinic, base_url: str) -> Mail:
    """Write the e-mail of a notification; an urgent one asks for an answer at once."""
    subject = "Your answer is needed now" if urgent else "There is news for you"
    lines = (
        f"{subject}.",
        "",
        f"Please sign in at {base_url} to read it.",
        f"Its reference is {notification}.",
        "",
        "This message says nothing else on purpose, and nobody reads an answer to it.",
    )
    return _mail(notification, subject=subject, body="\n".join(lines) + "\n", clinic=clinic)


def to_patient(notification: UUID, *, secret: str, language: str, clinic: Clinic, base_url: str) -> Mail:
    """Write the letter of a message to a patient, in their language: what it is about is behind its link."""
    body = patient_mail.body(language, secret=secret, base_url=base_url)
    return _mail(notification, subject=patient_mail.subject(language), body=body, clinic=clinic)


def _mail(notification: UUID, *, subject: str, body: str, clinic: Clinic) -> Mail:
    return Mail(
        message_id=f"<{notification}@{clinic.email.partition('@')[2]}>",
        sender=clinic.email,
        subject=subject,
        body=body,
    )
