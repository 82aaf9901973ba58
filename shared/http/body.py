"""Reading a body: counted while it comes, so nobody makes us hold more than the limit."""

from starlette.requests import ClientDisconnect, Request

from shared.errors import Malformed, TooLarge
from shared.fhir.check import MAX_BYTES
from shared.http.errors import WrongContentType

_JSON = ("application/fhir+json", "application/json")
_FORM = "application/x-www-form-urlencoded"


async def read_body(request: Request) -> bytes:
    """Read the body; raises TooLarge over the limit, WrongContentType for what is not FHIR JSON."""
    if request.method in ("GET", "HEAD"):
        return b""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > MAX_BYTES:
        raise _too_large()
    body = await _counted(request)
    if body:
        _check_type(request)
    return body


async def _counted(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_BYTES:
                raise _too_large()
            chunks.append(chunk)
    except ClientDisconnect:
        raise Malformed("the connection ended before the body did") from None
    return b"".join(chunks)


def _check_type(request: Request) -> None:
    sent = request.headers.get("content-type", _JSON[0]).partition(";")[0].strip().lower()
    allowed = (_FORM,) if request.scope["path"].endswith("/_search") else _JSON
    if sent not in allowed:
        raise WrongContentType(f"this address reads {' or '.join(allowed)}")


def _too_large() -> TooLarge:
    return TooLarge(f"the body is over {MAX_BYTES} bytes; attachments are not sent inline")
