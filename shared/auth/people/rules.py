"""What decides about a person's session, code and refresh token; time is an argument.

Why these numbers:
- A code travels from the browser to the portal in one redirect, so a minute is long (RFC 6749: at most ten).
- 30 minutes without an act is what clinics expect of a screen in a corridor, 12 hours is the longest shift.
- Tabs of one browser refresh within the same seconds; ten hold a slow one, and a thief comes later than that.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from enum import StrEnum

from shared.auth.people.models import AuthorizationCode, RefreshToken, SignInSession

CODE_LIFETIME = timedelta(seconds=60)
IDLE_LIMIT = timedelta(minutes=30)
LONGEST_SESSION = timedelta(hours=12)
REPEAT_WITHIN = timedelta(seconds=10)

_VERIFIER = re.compile(r"^[A-Za-z0-9._~-]{43,128}$")


class RefreshUse(StrEnum):
    """What a refresh token that is presented means."""

    FIRST = "first"
    REPEATED = "repeated"
    REUSED = "reused"


def mark_of(secret: str) -> bytes:
    """Return what stands in the database for a secret that somebody holds."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def ends_at(session: SignInSession) -> datetime:
    """Tell when the session is over if its person does nothing any more."""
    return min(session.machine_last_act_at + IDLE_LIMIT, session.machine_began_at + LONGEST_SESSION)


def is_live(session: SignInSession, *, at: datetime) -> bool:
    """Tell whether the session goes on."""
    return session.machine_ended_at is None and at < ends_at(session)


def code_flaw(
    code: AuthorizationCode, *, redirect_uri: str | None, verifier: str | None, at: datetime
) -> str | None:
    """Say what is wrong with a code that was not used before, or None."""
    if at >= code.machine_expires_at:
        return "the code is older than 60 seconds"
    if redirect_uri != code.redirect_uri:
        return "redirect_uri is not the one that the code was asked for with"
    if verifier is None or not _proves(verifier, code.code_challenge):
        return "code_verifier does not prove who asked for the code"
    return None


def refresh_use(token: RefreshToken, *, successor: RefreshToken | None, at: datetime) -> RefreshUse:
    """Tell a first use from a parallel one, and both from a token that somebody has copied."""
    if token.machine_used_at is None:
        return RefreshUse.FIRST
    unused = successor is not None and successor.machine_used_at is None
    if unused and at - token.machine_used_at <= REPEAT_WITHIN:
        return RefreshUse.REPEATED
    return RefreshUse.REUSED


def successor_of(token: str, *, secret: bytes) -> str:
    """Make the one successor that a refresh token has, from the session's secret."""
    made = hmac.digest(secret, token.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return _base64(made)


def _proves(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.match(verifier):
        return False
    return hmac.compare_digest(_base64(hashlib.sha256(verifier.encode()).digest()), challenge)


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
