"""The e-mail channel: SMTP, one connection for a handful of messages.

Invariant: what it tells of a failure is a class or a reply code, never an address or a server's text.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib

from services.notifications.rules.mail import Mail
from services.notifications.states import Outcome
from services.notifications.use_cases.record import Result

TIMEOUT = 10.0
_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class NotASmtpAddress(ValueError):
    """LUMBAR_SMTP_URL is not of the form smtp://[user:password@]host[:port] (or smtps, smtp+starttls)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One e-mail with its address, and the calendar file that goes with it."""

    id: UUID
    address: str
    mail: Mail
    calendar: bytes | None = None


class Smtp:
    """A mail server, given as a URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise NotASmtpAddress(
                "LUMBAR_SMTP_URL must be smtp://host:port, smtps://... or smtp+starttls://..."
            )
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._tls = parts.scheme == "smtps"
        self._start_tls = parts.scheme == "smtp+starttls"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    async def send(
        self, letters: Sequence[Letter], *, at: datetime
    ) -> AsyncGenerator[tuple[UUID, Result], None]:
        """Hand over letters, dated `at`, and tell what became of each before the next one goes.

        Never raises for a server's fault: every letter that it kept from going has failed.
        """
        answered = 0
        try:
            async with self._connection() as connection:
                for letter in letters:
                    result = await _hand_over(connection, letter, at=at)
                    answered += 1
                    yield letter.id, result
        except (aiosmtplib.SMTPException, OSError) as error:
            failed = Result(outcome=Outcome.FAILED, detail=type(error).__name__)
            for letter in letters[answered:]:
                yield letter.id, failed

    def _connection(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            use_tls=self._tls,
            start_tls=self._start_tls or None,
            username=self._user,
            password=self._password,
            timeout=TIMEOUT,
        )


async def _hand_over(connection: aiosmtplib.SMTP, letter: Letter, *, at: datetime) -> Result:
    try:
        await connection.send_message(_message(letter, at=at))
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _answered(refused.recipients[0].code)
    except aiosmtplib.SMTPResponseException as reply:
        return _answered(reply.code)
    return Result(outcome=Outcome.TAKEN)


def _answered(code: int) -> Result:
    """Read a reply code: 5xx is for good, everything else may pass."""
    outcome = Outcome.REFUSED if 500 <= code < 600 else Outcome.FAILED
    return Result(outcome=outcome, detail=f"reply {code}")


def _message(letter: Letter, *, at: datetime) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = letter.mail.message_id
    message["Date"] = format_datetime(at)
    message["From"] = letter.mail.sender
    message["To"] = letter.address
    message["Subject"] = letter.mail.subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.mail.body)
    if letter.calendar is not None:
        method = "CANCEL" if b"METHOD:CANCEL" in letter.calendar else "REQUEST"
        message.add_attachment(
            letter.calendar.decode(),
            subtype="calendar",
            params={"method": method},
            filename="appointment.ics",
        )
    return message
