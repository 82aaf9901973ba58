"""Headers on their way through: hop-by-hop ones end here, and who came is said by us alone.

Invariant: what a caller says about forwarding (X-Forwarded-*, Forwarded, X-Real-IP) goes no further, so
nobody behind the gateway can be told a false origin.
"""

from collections.abc import Iterable

from starlette.types import Scope

RawHeaders = list[tuple[bytes, bytes]]

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_ORIGIN = {
    b"forwarded",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-forwarded-port",
} | {
    b"x-forwarded-prefix",
    b"x-forwarded-server",
    b"x-real-ip",
}
# Ours to write, because the body goes on in our way; `expect` is answered by our own server.
_OURS = {b"host", b"content-length", b"expect"}


def onward(scope: Scope, *, length: int | None) -> RawHeaders:
    """Give the headers of a request for the next server, with a body of so many bytes, None for who knows."""
    came: RawHeaders = scope["headers"]
    kept = _without(came, _ORIGIN | _OURS)
    if length is None:
        kept.append((b"transfer-encoding", b"chunked"))
    elif length or scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        kept.append((b"content-length", b"%d" % length))
    client = scope.get("client")
    if client:
        kept.append((b"x-forwarded-for", client[0].encode()))
    kept.append((b"x-forwarded-proto", scope.get("scheme", "http").encode()))
    host = next((value for name, value in came if name == b"host"), None)
    return kept if host is None else [*kept, (b"x-forwarded-host", host)]


def back(came: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Give the headers of an answer for the caller."""
    return _without([(name.lower(), value) for name, value in came], {b"date", b"server"})


def _without(headers: RawHeaders, dropped: set[bytes]) -> RawHeaders:
    named = {
        name.strip().lower()
        for header, value in headers
        if header == b"connection"
        for name in value.split(b",")
    }
    gone = _HOP_BY_HOP | named | dropped
    return [(name, value) for name, value in headers if name not in gone]
