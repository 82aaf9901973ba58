"""The gateway's own answers."""

import json

from starlette.types import Send


async def text(send: Send, content: str, *, status: int = 200) -> None:
    """Answer a line or two of text."""
    await _answer(send, status, content.encode(), [(b"content-type", b"text/plain; charset=utf-8")])


async def plain_json(send: Send, content: bytes, *, status: int) -> None:
    """Answer JSON that is nothing of FHIR."""
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await _answer(send, status, content, headers)


async def refuse(send: Send, status: int, code: str, why: str) -> None:
    """Answer an OperationOutcome, with Retry-After where trying again helps."""
    issue = {"severity": "error", "code": code, "details": {"text": why}}
    content = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    headers = [(b"content-type", b"application/fhir+json"), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await _answer(send, status, content, headers)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
