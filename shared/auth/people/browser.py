"""What protects the pages of the sign-in in a browser: headers, and forms that nobody else can send.

Invariants:
- A page is kept by no cache, framed by nobody, loads nothing from elsewhere and runs no script.
- A form is taken from a page of ours only: the browser says so (Sec-Fetch-Site, else Origin), and it brings
  the mark of the cookie that was set with the page.
- The cookie says nothing about a person and signs nobody in, so there is no session that could be planted.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shared.http.origins import is_of_our_origin

FORM_TOKEN = "form_token"  # noqa: S105 - a name, no secret
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_COOKIE_SECONDS = 12 * 60 * 60


class NotFromHere(Exception):
    """A form was not sent by a page of ours."""


def page_answer(html: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a page."""
    return HTMLResponse(html, status_code=status, headers={**HEADERS, **(headers or {})})


def redirect(url: str) -> Response:
    """Send the browser on by GET, whatever it came with."""
    return RedirectResponse(url, status_code=303, headers=dict(HEADERS))


def form_token(browser: str) -> str:
    """Make what a form of this browser brings along."""
    return hmac.digest(browser.encode(), b"form", hashlib.sha256).hex()


def browser_of(request: Request, *, base_url: str) -> str:
    """Name the browser by its cookie, or make a new name for it."""
    known = request.cookies.get(cookie_name(base_url), "")
    return known if 20 <= len(known) <= 100 and known.isascii() else secrets.token_urlsafe(32)


def remember(answer: Response, browser: str, *, base_url: str) -> Response:
    """Set the cookie that names the browser."""
    answer.set_cookie(
        cookie_name(base_url),
        browser,
        max_age=_COOKIE_SECONDS,
        secure=_is_secure(base_url),
        httponly=True,
        samesite="lax",
    )
    return answer


def check_form(request: Request, form: Mapping[str, str], *, base_url: str) -> None:
    """Raise NotFromHere for a form that did not come from a page of ours, in the browser that has it."""
    browser = request.cookies.get(cookie_name(base_url), "")
    known = hmac.compare_digest(
        form_token(browser).encode(), form.get(FORM_TOKEN, "").encode("utf-8", "replace")
    )
    if not browser or not known or not is_of_our_origin(request.headers, base_url=base_url):
        raise NotFromHere


def is_begun_here(request: Request) -> bool:
    """Tell whether a person came by a page of this origin or typed the address: no link elsewhere."""
    return request.headers.get("sec-fetch-site") in ("same-origin", "none")


def cookie_name(base_url: str) -> str:
    """Name the cookie; over TLS its name keeps other hosts of the domain from setting it."""
    return "__Host-lumbar-sign-in" if _is_secure(base_url) else "lumbar-sign-in"


def _is_secure(base_url: str) -> bool:
    return base_url.startswith("https://")
