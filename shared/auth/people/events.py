"""What is recorded about sign-ins, in one transaction with them: who, how, from where, why it ended."""

from collections.abc import Sequence
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
    return await _say_ended(tx, await queries.end_session(tx, session_id, reason=reason, at=at), at=at) == 1


async def end_sessions_of_invited(
    tx: Transaction, person_id: UUID, *, reason: EndReason, at: datetime
) -> int:
    """End all sessions of an invited person and say so; return how many went on until now."""
    ended = await queries.end_sessions_of_invited(tx, person_id, reason=reason, at=at)
    return await _say_ended(tx, ended, at=at)


async def end_demo_sessions(tx: Transaction, *, at: datetime) -> int:
    """End all sessions of demo people and say so; return how many went on until now."""
    ended = await queries.end_sessions_of_method(
        tx, SignInMethod.DEMO, reason=EndReason.NO_DEMO_PEOPLE, at=at
    )
    return await _say_ended(tx, ended, at=at)


async def _say_ended(tx: Transaction, sessions: Sequence[SignInSession], *, at: datetime) -> int:
    await tx.insert(*(_ended(session, at=at) for session in sessions))
    return len(sessions)


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
