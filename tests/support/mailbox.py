"""A real SMTP server on a loopback port that keeps what it takes and can be told to answer otherwise."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message

from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """What arrived, by recipient; `answers` are given instead of taking, one for each message."""

    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.recipients: list[str] = []
        self.answers: list[str] = []
        self.url = ""

    def to(self, address: str) -> list[str]:
        """Give the texts of the letters to an address, in the order in which they came."""
        mine = zip(self.letters, self.recipients, strict=True)
        return [text_of(letter) for letter, recipient in mine if recipient == address]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        self.letters.append(email.message_from_bytes(content if isinstance(content, bytes) else b""))
        self.recipients += envelope.rcpt_tos
        return "250 taken"


def text_of(letter: Message) -> str:
    """Give the text of a letter as its reader sees it."""
    read = email.message_from_bytes(letter.as_bytes(), policy=email.policy.default)
    part = read.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@asynccontextmanager
async def open_mailbox() -> AsyncIterator[Mailbox]:
    """Open a mailbox for the length of a test."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    mailbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield mailbox
