"""Every statement of the portal: its sessions and drafts."""

from datetime import datetime

from services.portal.models import Draft, Session
from shared.db import Transaction

_SESSION = "SELECT * FROM session WHERE id_hash = $1 AND machine_ends_at > $2"
_KEEP_DRAFT = """
INSERT INTO draft (subject, path, fields, machine_kept_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (subject, path) DO UPDATE
SET fields = excluded.fields, machine_kept_until = excluded.machine_kept_until
"""
_DRAFT = "SELECT * FROM draft WHERE subject = $1 AND path = $2 AND machine_kept_until > $3"


async def session(tx: Transaction, id_hash: bytes, *, now: datetime) -> Session | None:
    """Read a session that has not ended."""
    return await tx.row(Session, _SESSION, id_hash, now)


async def session_for_update(tx: Transaction, id_hash: bytes, *, now: datetime) -> Session | None:
    """Read a session that has not ended, and lock it: of several refreshes the first one is made."""
    return await tx.row(Session, f"{_SESSION} FOR UPDATE", id_hash, now)


async def ended_session(tx: Transaction, id_hash: bytes) -> Session | None:
    """Read a session whether it has ended or not: whose words are to be kept."""
    return await tx.row(Session, "SELECT * FROM session WHERE id_hash = $1", id_hash)


async def end_session(tx: Transaction, id_hash: bytes) -> None:
    """Remove a session."""
    await tx.run("DELETE FROM session WHERE id_hash = $1", id_hash)


async def sweep(tx: Transaction, *, before: datetime, now: datetime) -> None:
    """Remove sessions that ended before a moment, and drafts whose time is over."""
    await tx.run("DELETE FROM session WHERE machine_ends_at < $1", before)
    await tx.run("DELETE FROM draft WHERE machine_kept_until < $1", now)


async def keep_draft(tx: Transaction, draft: Draft) -> None:
    """Keep what was typed; the newest words replace the older ones of the same person and page."""
    await tx.run(_KEEP_DRAFT, draft.subject, draft.path, draft.fields, draft.machine_kept_until)


async def draft(tx: Transaction, *, subject: str, path: str, now: datetime) -> Draft | None:
    """Read what a person had typed into a page."""
    return await tx.row(Draft, _DRAFT, subject, path, now)


async def forget_draft(tx: Transaction, *, subject: str, path: str) -> None:
    """Remove a draft that was sent or thrown away."""
    await tx.run("DELETE FROM draft WHERE subject = $1 AND path = $2", subject, path)
