"""Reading a body: counted while it comes and is inflated, so nobody makes us hold more than the limit."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Collection

from starlette.requests import ClientDisconnect, Request

from shared.clock import monotonic
from shared.errors import LARGER_GOES, Malformed, TooLarge
from shared.fhir.check import MAX_BYTES
from shared.http.errors import WrongContentType

_JSON = ("application/fhir+json", "application/json")
_FORM = "application/x-www-form-urlencoded"
PATCHES = ("application/json-patch+json", "application/merge-patch+json", *_JSON)
# How zlib is told that what comes has gzip's own header.
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request) -> bytes:
    """Read the body, inflated where it comes in gzip.

    Raises TooLarge over the limit, WrongContentType for what is not FHIR JSON or is encoded otherwise, and
    Malformed for what is no gzip.
    """
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
    """Give a body as it comes, inflated where it comes in gzip and counted: raises what `refuse` makes over
    the limit.

    Raises Malformed where the connection ends before the body does, nothing comes for `patience` seconds, or
    it has not come whole `within` so many, or it is no gzip; WrongContentType for another encoding.
    """
    size, end = 0, monotonic() + within
    coming, gzip = request.stream(), _gzip_of(request)
    while True:
        try:
            async with asyncio.timeout(patience):
                piece = await anext(coming, None)
        except ClientDisconnect:
            raise Malformed("the connection ended before the body did") from None
        except TimeoutError:
            raise Malformed(f"nothing of the body came for {patience:.0f} seconds") from None
        if piece is None:
            break
        if monotonic() > end:
            raise Malformed(f"the body was not whole within {within:.0f} seconds")
        piece = piece if gzip is None else gzip.inflate(piece, at_most=at_most - size)
        size += len(piece)
        if size > at_most:
            raise refuse()
        yield piece
    if gzip is not None:
        gzip.check_whole()


def _gzip_of(request: Request) -> "_Gzip | None":
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise WrongContentType(f"a body comes as it is or in gzip, not in {encoding[:32]}")
    return None if encoding == "identity" else _Gzip()


class _Gzip:
    """Inflates what comes in gzip; its members, if there are several, follow each other (RFC 1952)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._has_begun = False

    def inflate(self, piece: bytes, *, at_most: int) -> bytes:
        """Inflate a piece; of what is longer than `at_most` one byte more than that."""
        found = bytearray()
        try:
            while piece and len(found) <= at_most:
                if self._member.eof:
                    self._member = zlib.decompressobj(_GZIP)
                self._has_begun = True
                found += self._member.decompress(piece, at_most + 1 - len(found))
                piece = self._member.unconsumed_tail or self._member.unused_data
        except zlib.error:
            raise Malformed("the body is no gzip") from None
        return bytes(found)

    def check_whole(self) -> None:
        """Refuse what ends before its end."""
        if self._has_begun and not self._member.eof:
            raise Malformed("the gzip of the body ends too early")


def _check_type(request: Request) -> None:
    sent = request.headers.get("content-type", _JSON[0]).partition(";")[0].strip().lower()
    allowed: Collection[str] = (_FORM,) if request.scope["path"].endswith("/_search") else _JSON
    allowed = PATCHES if request.method == "PATCH" else allowed
    if sent not in allowed:
        raise WrongContentType(f"this address reads {' or '.join(allowed)}")


def _too_large() -> TooLarge:
    return TooLarge(f"the body is over {MAX_BYTES} bytes; {LARGER_GOES}")
