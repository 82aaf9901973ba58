"""What an e-mail says: that there is news, where to sign in, and an opaque reference. Nothing else."""

from dataclasses import dataclass
from uuid import UUID

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
    return Mail(
        message_id=f"<{notification}@{clinic.email.partition('@')[2]}>",
        sender=clinic.email,
        subject=subject,
        body="\n".join(lines) + "\n",
    )
