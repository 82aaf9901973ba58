"""Every statement about people's sessions."""

from datetime import datetime
from uuid import UUID

from shared.auth.people.models import (
    AuthorizationCode,
    EndReason,
    RefreshToken,
    SignInMethod,
    SignInSession,
)
from shared.db import Transaction

_CODE = "SELECT * FROM authorization_code WHERE mark = $1 FOR UPDATE"
_TOKEN = "SELECT * FROM refresh_token WHERE mark = $1"  # noqa: S105 - a statement, no secret
_SESSION = "SELECT * FROM sign_in_session WHERE id = $1"
_END = """
UPDATE sign_in_session SET machine_ended_at = $2, end_reason = $3 WHERE id = $1 AND machine_ended_at IS NULL
"""
_END_OF_METHOD = """
UPDATE sign_in_session SET machine_ended_at = $2, end_reason = $3
WHERE method = $1 AND machine_ended_at IS NULL
"""
_FORGET = "DELETE FROM sign_in_session WHERE machine_began_at < $1"


async def code_for_update(tx: Transaction, mark: bytes) -> AuthorizationCode | None:
    """Find a code and hold it, so that it is used once."""
    return await tx.row(AuthorizationCode, _CODE, mark)


async def refresh_token(tx: Transaction, mark: bytes) -> RefreshToken | None:
    """Find a refresh token; its session's lock says that it stays as it is."""
    return await tx.row(RefreshToken, _TOKEN, mark)


async def session(tx: Transaction, session_id: UUID) -> SignInSession | None:
    """Find a session."""
    return await tx.row(SignInSession, _SESSION, session_id)


async def session_for_update(tx: Transaction, session_id: UUID) -> SignInSession | None:
    """Find a session and hold it."""
    return await tx.row(SignInSession, f"{_SESSION} FOR UPDATE", session_id)


async def end_session(tx: Transaction, session_id: UUID, *, reason: EndReason, at: datetime) -> bool:
    """End a session; tell whether it went on until now."""
    return await tx.run(_END, session_id, at, reason) == 1


async def end_sessions_of_method(
    tx: Transaction, method: SignInMethod, *, reason: EndReason, at: datetime
) -> int:
    """End all sessions that were begun in one way."""
    return await tx.run(_END_OF_METHOD, method, at, reason)


async def forget_sessions(tx: Transaction, *, began_before: datetime) -> int:
    """Forget sessions, with their codes and tokens."""
    return await tx.run(_FORGET, began_before)
