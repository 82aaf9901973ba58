"""What is recorded about sign-ins, in one transaction with them: who, how, from where, why it ended."""

from datetime import datetime
from uuid import UUID

from shared.auth.people import queries
from shared.auth.people.models import (
    EndReason,
    SignInEvent,
    SignInEventKind,
    SignInMethod,
    SignInSession,
)
from shared.db import Transaction


def signed_in(session: SignInSession, *, address: str) -> SignInEvent:
    """Say that a session has begun."""
    return SignInEvent(
        machine_at=session.machine_began_at,
        kind=SignInEventKind.SIGNED_IN,
        issuer=session.issuer,
        subject=session.subject,
        client=session.client,
        method=session.method,
        session_id=session.id,
        address=address,
    )


def refused(method: SignInMethod, *, subject: str | None, address: str, at: datetime) -> SignInEvent:
    """Say that somebody was not let in; `subject` is who that would have been, if anybody."""
    return SignInEvent(
        machine_at=at, kind=SignInEventKind.REFUSED, subject=subject, method=method, address=address
    )


async def end_session(tx: Transaction, session_id: UUID, *, reason: EndReason, at: datetime) -> bool:
    """End a session and say so; tell whether it went on until now."""
    if not await queries.end_session(tx, session_id, reason=reason, at=at):
        return False
    session = await queries.session(tx, session_id)
    if session is not None:
        await tx.insert(_ended(session, at=at))
    return True


def _ended(session: SignInSession, *, at: datetime) -> SignInEvent:
    return SignInEvent(
        machine_at=at,
        kind=SignInEventKind.ENDED,
        issuer=session.issuer,
        subject=session.subject,
        client=session.client,
        method=session.method,
        session_id=session.id,
        end_reason=session.end_reason,
    )
