"""What happens, as it happens, for a browser: one stream, cut to what its person may see.

The services' feed is passed on without its words: a type, a patient, a referral and a focus are enough for a
page to know that it is not fresh, and it asks for itself again. A stream is nobody's act: it prolongs no
session, and ends with it.
"""

from collections.abc import AsyncIterator

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.portal.api.portal import Portal
from services.portal.issuer import IssuerAway
from services.portal.sessions import SignedIn

_NO_END = httpx.Timeout(10.0, read=60.0)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def live_routes(portal: Portal) -> list[Route]:
    """Give the route of the stream."""

    async def live(request: Request) -> Response:
        cookie = portal.cookies.read(request.cookies, "session")
        try:
            person = await portal.sessions.find(cookie, is_act=False)
        except IssuerAway:
            return Response(status_code=503)
        if person is None:
            # An EventSource that gets 204 does not come again.
            return Response(status_code=204)
        frames = _frames(portal, person, seen=request.headers.get("last-event-id"))
        return StreamingResponse(frames, media_type="text/event-stream", headers=_HEADERS)

    return [Route("/live", live, methods=["GET"])]


async def _frames(portal: Portal, person: SignedIn, *, seen: str | None) -> AsyncIterator[bytes]:
    headers = {"Authorization": f"Bearer {person.token}", **({"Last-Event-ID": seen} if seen else {})}
    yield b"retry: 2000\n\n"
    try:
        async with portal.runtime.http.stream(
            "GET", "/notifications/feed", headers=headers, timeout=_NO_END
        ) as feed:
            if feed.status_code != 200:
                return
            async for line in feed.aiter_lines():
                yield _passed_on(line)
    except httpx.HTTPError:
        return


def _passed_on(line: str) -> bytes:
    """Pass a line on; every entry is named `news`, and of its data only what names a resource is kept."""
    if line.startswith("event: ") and line != "event: reset":
        return b"event: news\n"
    if not line.startswith("data: "):
        return f"{line}\n".encode()
    entry = msgspec.json.decode(line.removeprefix("data: "))
    kept = {name: entry[name] for name in ("type", "patient", "referral", "focus") if entry.get(name)}
    return b"data: " + msgspec.json.encode(kept) + b"\n"
