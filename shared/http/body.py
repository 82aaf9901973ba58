"""Reading a body: counted while it comes, so nobody makes us hold more than the limit."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.requests import ClientDisconnect, Request

from shared.clock import monotonic
from shared.errors import LARGER_GOES, Malformed, TooLarge
from shared.fhir.check import MAX_BYTES
from shared.http.errors import WrongContentType

_JSON = ("application/fhir+json", "application/json")
_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request) -> bytes:
    """Read the body; raises TooLarge over the limit, WrongContentType for what is not FHIR JSON."""
    if request.method in ("GET", "HEAD"):
        return b""
    check_announced(request, at_most=MAX_BYTES, refuse=_too_large)
    body = await _counted(request)
    if body:
        _check_type(request)
    return body


async def _counted(request: Request) -> bytes:
    return b"".join([piece async for piece in pieces(request, at_most=MAX_BYTES, refuse=_too_large)])


def check_announced(request: Request, *, at_most: int, refuse: Callable[[], TooLarge]) -> None:
    """Refuse a body that says itself that it is over a limit, before any of it is read."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > at_most:
        raise refuse()


async def pieces(
    request: Request,
    *,
    at_most: int,
    refuse: Callable[[], TooLarge],
    patience: float | None = None,
    within: float = float("inf"),
) -> AsyncIterator[bytes]:
    """Give a body as it comes, counted: raises what `refuse` makes over the limit.

    Raises Malformed where the connection ends before the body does, nothing comes for `patience` seconds, or
    it has not come whole `within` so many.
    """
    size, end = 0, monotonic() + within
    coming = request.stream()
    while True:
        try:
            async with asyncio.timeout(patience):
                piece = await anext(coming, None)
        except ClientDisconnect:
            raise Malformed("the connection ended before the body did") from None
        except TimeoutError:
            raise Malformed(f"nothing of the body came for {patience:.0f} seconds") from None
        if piece is None:
            return
        if monotonic() > end:
            raise Malformed(f"the body was not whole within {within:.0f} seconds")
        size += len(piece)
        if size > at_most:
            raise refuse()
        yield piece


def _check_type(request: Request) -> None:
    sent = request.headers.get("content-type", _JSON[0]).partition(";")[0].strip().lower()
    allowed = (_FORM,) if request.scope["path"].endswith("/_search") else _JSON
    if sent not in allowed:
        raise WrongContentType(f"this address reads {' or '.join(allowed)}")


def _too_large() -> TooLarge:
    return TooLarge(f"the body is over {MAX_BYTES} bytes; {LARGER_GOES}")
