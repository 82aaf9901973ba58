"""Reading a request's body whole, within the limit: only a whole one can be passed to a second replica."""

from starlette.types import Receive, Scope

# What the services take (shared.fhir.check.MAX_BYTES, which imports much); a test holds the two together.
MAX_BYTES = 1024 * 1024


class TooLong(Exception):
    """The body is over the limit."""

    def __init__(self) -> None:
        super().__init__(f"the body is over {MAX_BYTES} bytes; attachments are not sent inline")


async def read_body(scope: Scope, receive: Receive) -> bytes | None:
    """Read the body; None where the caller went away meanwhile. Raises TooLong."""
    announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if announced.isdigit() and int(announced) > MAX_BYTES:
        raise TooLong
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BYTES:
            raise TooLong
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
