"""Reading a request's body: whole, within the limit, because only a whole one can be passed to a second
replica; an attachment as it comes, because it is too long to be held.
"""

from collections.abc import AsyncIterator

import httpx
from starlette.types import Receive, Scope

from shared.errors import LARGER_GOES

# What the services take (shared.fhir.check.MAX_BYTES, which imports much), and of an attachment
# (services.referral.api.attachments.LARGEST); a test holds them together.
MAX_BYTES = 1024 * 1024
MAX_ATTACHMENT = 20 * 1024 * 1024
_ATTACHMENTS = "/referral/fhir/Binary"
_JSON = (b"application/fhir+json", b"application/json")


class TooLong(Exception):
    """The body is over the limit."""


class CallerGone(Exception):
    """The caller went away before its body was whole."""


class PassedBody(httpx.AsyncByteStream):
    """A body that is passed on as it comes; once that has `begun` it cannot be sent to another replica.

    `length` is what the caller announced, None where it did not. Iterating raises TooLong and CallerGone.
    """

    def __init__(self, receive: Receive, *, length: int | None) -> None:
        self.length = length
        self.begun = False
        self._receive = receive

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.begun = True
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > MAX_ATTACHMENT:
                raise too_long_attachment()
            more = message.get("more_body", False)
            if chunk:
                yield chunk


async def read_body(scope: Scope, receive: Receive) -> bytes | PassedBody:
    """Read the body, or give it to be passed on; raises TooLong and CallerGone."""
    length = _announced(scope)
    if _is_attachment(scope):
        if length is not None and length > MAX_ATTACHMENT:
            raise too_long_attachment()
        return PassedBody(receive, length=length)
    if length is not None and length > MAX_BYTES:
        raise _too_long()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BYTES:
            raise _too_long()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def too_long_attachment() -> TooLong:
    """Say how long an attachment may be."""
    return TooLong(f"an attachment has at most 20 MB ({MAX_ATTACHMENT} bytes)")


def _too_long() -> TooLong:
    return TooLong(f"the body is over {MAX_BYTES} bytes; {LARGER_GOES}")


def _is_attachment(scope: Scope) -> bool:
    kind = _header(scope, b"content-type").partition(b";")[0].strip().lower()
    return scope["method"] == "POST" and scope["path"] == _ATTACHMENTS and kind not in _JSON


def _announced(scope: Scope) -> int | None:
    text = _header(scope, b"content-length")
    return int(text) if text.isdigit() else None


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")
