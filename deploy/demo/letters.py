"""The demo's mail server: it takes every e-mail, delivers none, counts and keeps what arrived."""

import asyncio
import email
import email.policy
from collections import Counter
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session


class LetterBox:
    """An SMTP server on a free loopback port, inside the running event loop."""

    def __init__(self) -> None:
        self.copies: Counter[str] = Counter()
        self._texts: dict[str, list[str]] = {}
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Start to listen and give the address (`smtp://127.0.0.1:PORT`)."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", 0)
        return f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def to(self, address: str) -> list[str]:
        """Give the texts of the letters to an address, in the order in which they came."""
        return self._texts.get(address, [])

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a letter, as aiosmtpd asks its handler to."""
        letter = email.message_from_bytes(_bytes(envelope.content), policy=email.policy.default)
        text = _text(letter)
        for address in envelope.rcpt_tos:
            self._texts.setdefault(address, []).append(text)
        self.copies[str(letter["Message-ID"])] += 1
        return "250 taken"


def _text(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    return "" if part is None else str(part.get_content())


def _bytes(content: bytes | str | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""
