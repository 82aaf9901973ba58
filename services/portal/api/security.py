"""What protects every page: headers, cookies, and the proof that a form was sent from a page of ours.

Invariants:
- A change is made only by a POST that a page of this origin sent (Sec-Fetch-Site, else Origin) with the
  token of this session in the form; a GET changes nothing.
- A page is kept by no cache, framed by nobody, and runs no script but the portal's own file.
- An address to go on to is a path of this portal, never another site's.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lumbar",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SecurityHeaders:
    """Adds the headers to every answer; one without a Cache-Control of its own is kept nowhere."""

    def __init__(self, app: ASGIApp, *, is_secure: bool) -> None:
        self._app = app
        self._headers: Mapping[str, str] = _HEADERS | (
            {"Strict-Transport-Security": "max-age=31536000"} if is_secure else {}
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def protect(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, protect if scope["type"] == "http" else send)


def form_token(session_key: bytes) -> str:
    """Give the token that this session's forms carry."""
    return hmac.new(session_key, b"form", sha256).hexdigest()


def is_form_token(given: str, session_key: bytes) -> bool:
    """Tell whether a form carries the token of this session."""
    return hmac.compare_digest(given.encode(), form_token(session_key).encode())


def safe_path(wanted: str | None, *, otherwise: str = "/") -> str:
    """Give the path to go on to; anything but a path of this portal becomes `otherwise`."""
    path = wanted or ""
    is_path = path.startswith("/") and not path.startswith(("//", "/\\"))
    is_plain = path.isprintable() and "\\" not in path and len(path) <= 2000
    return path if is_path and is_plain else otherwise


class Cookies:
    """The portal's cookies; behind https they have the `__Host-` prefix, which no other host can plant."""

    def __init__(self, *, is_secure: bool) -> None:
        self._is_secure = is_secure
        self._prefix = "__Host-" if is_secure else ""

    def read(self, cookies: Mapping[str, str], name: str) -> str | None:
        """Read a cookie of ours."""
        return cookies.get(f"{self._prefix}lumbar-{name}")

    def set(self, response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
        """Set a cookie: for `seconds`, or as long as the browser is open."""
        response.set_cookie(
            f"{self._prefix}lumbar-{name}",
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="lax",
        )

    def remove(self, response: Response, name: str) -> None:
        """Remove a cookie."""
        response.delete_cookie(
            f"{self._prefix}lumbar-{name}", path="/", secure=self._is_secure, httponly=True, samesite="lax"
        )
