"""Every statement about people who sign in."""

from datetime import datetime, timedelta
from uuid import UUID

from shared.auth.people.accounts import Account
from shared.auth.people.models import (
    AttemptSubject,
    AuthorizationCode,
    EndReason,
    InvitedPerson,
    RefreshToken,
    SignInAttempts,
    SignInElsewhere,
    SignInMethod,
    SignInSession,
)
from shared.db import Transaction

_CODE = "SELECT * FROM authorization_code WHERE mark = $1 FOR UPDATE"
_TOKEN = "SELECT * FROM refresh_token WHERE mark = $1"  # noqa: S105 - a statement, no secret
_SESSION = "SELECT * FROM sign_in_session WHERE id = $1"
_END = """
UPDATE sign_in_session SET machine_ended_at = $2, end_reason = $3
WHERE id = $1 AND machine_ended_at IS NULL RETURNING *
"""
_END_OF_METHOD = """
UPDATE sign_in_session SET machine_ended_at = $2, end_reason = $3
WHERE method = $1 AND machine_ended_at IS NULL RETURNING *
"""
_END_OF_INVITED = """
UPDATE sign_in_session SET machine_ended_at = $3, end_reason = $4
WHERE subject = $1 AND method = $2 AND machine_ended_at IS NULL RETURNING *
"""
_INVITED = "SELECT * FROM invited_person WHERE login = $1 AND machine_removed_at IS NULL"
_ALL_INVITED = "SELECT * FROM invited_person WHERE machine_removed_at IS NULL ORDER BY login"
_HELD = """
SELECT 1 FROM invited_person WHERE id = $1 AND password = $2 AND machine_removed_at IS NULL FOR SHARE
"""
_OF_INVITATION = """
SELECT p.* FROM invitation i JOIN invited_person p ON p.id = i.person_id
WHERE i.mark = $1 AND i.machine_expires_at > $2 AND p.machine_removed_at IS NULL
"""
_COUNT = """
INSERT INTO sign_in_attempts AS known (subject, mark, failures, machine_since) VALUES ($1, $2, 1, $3)
ON CONFLICT (subject, mark) DO UPDATE SET
  failures = CASE WHEN known.machine_since <= $4 THEN 1 ELSE known.failures + 1 END,
  machine_since = CASE WHEN known.machine_since <= $4 THEN $3 ELSE known.machine_since END
RETURNING *
"""
_UNCOUNT = """
UPDATE sign_in_attempts SET failures = failures - 1 WHERE subject = $1 AND mark = $2 AND failures > 0
"""
_FORGET_OLD_ATTEMPTS = """
DELETE FROM sign_in_attempts WHERE (subject, mark) IN (
  SELECT subject, mark FROM sign_in_attempts WHERE machine_since < $1 FOR UPDATE SKIP LOCKED)
"""
_TAKE_ELSEWHERE = """
DELETE FROM sign_in_elsewhere WHERE mark = $1 AND browser = $2 AND machine_expires_at > $3 RETURNING *
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


async def end_session(
    tx: Transaction, session_id: UUID, *, reason: EndReason, at: datetime
) -> list[SignInSession]:
    """End a session; return it if it went on until now."""
    return await tx.rows(SignInSession, _END, session_id, at, reason)


async def end_sessions_of_method(
    tx: Transaction, method: SignInMethod, *, reason: EndReason, at: datetime
) -> list[SignInSession]:
    """End all sessions that were begun in one way, and return those that went on until now."""
    return await tx.rows(SignInSession, _END_OF_METHOD, method, at, reason)


async def end_sessions_of_invited(
    tx: Transaction, person_id: UUID, *, reason: EndReason, at: datetime
) -> list[SignInSession]:
    """End all sessions of an invited person, and return those that went on until now."""
    return await tx.rows(SignInSession, _END_OF_INVITED, str(person_id), SignInMethod.PASSWORD, at, reason)


async def invited_person(tx: Transaction, login: str) -> InvitedPerson | None:
    """Find an invited person by their login."""
    return await tx.row(InvitedPerson, _INVITED, login)


async def hold_password(tx: Transaction, account: Account) -> bool:
    """Tell whether a person's password is still the one that was looked at, and keep it so to the end."""
    return await tx.value(_HELD, UUID(account.subject), account.password) is not None


async def invited_people(tx: Transaction) -> list[InvitedPerson]:
    """Return all invited people, by login."""
    return await tx.rows(InvitedPerson, _ALL_INVITED)


async def person_of_invitation(tx: Transaction, mark: bytes, *, at: datetime) -> InvitedPerson | None:
    """Find whom a link is for that works."""
    return await tx.row(InvitedPerson, _OF_INVITATION, mark, at)


async def forget_invitations(tx: Transaction, person_id: UUID) -> int:
    """Let no link of a person work any more; of two that do this at once one finds any."""
    return await tx.run("DELETE FROM invitation WHERE person_id = $1", person_id)


async def count_attempt(
    tx: Transaction, subject: AttemptSubject, mark: bytes, *, at: datetime, window: timedelta
) -> SignInAttempts:
    """Count an attempt, and return how many there were within the window."""
    found = await tx.row(SignInAttempts, _COUNT, subject, mark, at, at - window)
    if found is None:
        raise LookupError("an upsert returns its row")
    return found


async def uncount_attempt(tx: Transaction, subject: AttemptSubject, mark: bytes) -> None:
    """Take the count of one attempt back."""
    await tx.run(_UNCOUNT, subject, mark)


async def forget_attempts_of(tx: Transaction, subject: AttemptSubject, mark: bytes) -> None:
    """Forget all attempts of one login or address."""
    await tx.run("DELETE FROM sign_in_attempts WHERE subject = $1 AND mark = $2", subject, mark)


async def forget_attempts(tx: Transaction, *, since_before: datetime) -> None:
    """Forget attempts that count no more."""
    await tx.run(_FORGET_OLD_ATTEMPTS, since_before)


async def take_sign_in_elsewhere(
    tx: Transaction, mark: bytes, browser: bytes, *, at: datetime
) -> SignInElsewhere | None:
    """Find what was begun in a browser, and forget it, so that it is used once."""
    return await tx.row(SignInElsewhere, _TAKE_ELSEWHERE, mark, browser, at)


async def forget_sign_ins_elsewhere(tx: Transaction, *, expired_at: datetime) -> None:
    """Forget who did not come back."""
    await tx.run("DELETE FROM sign_in_elsewhere WHERE machine_expires_at <= $1", expired_at)


async def forget_sessions(tx: Transaction, *, began_before: datetime) -> int:
    """Forget sessions, with their codes and tokens."""
    return await tx.run(_FORGET, began_before)
