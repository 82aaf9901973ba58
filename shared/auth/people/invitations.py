"""People whom the clinic invites: a link to set a password, a reset of it, and their removal.

Invariants:
- A link works once and for seven days, and the newest alone; opening it changes nothing.
- A login that was given up belongs to nobody: who gets it next is another subject.
"""

import re
import secrets
import unicodedata
from datetime import datetime, timedelta

from shared.auth.people import events, queries
from shared.auth.people.models import (
    EndReason,
    Invitation,
    InvitedPerson,
    SignInEvent,
    SignInEventKind,
    SignInMethod,
)
from shared.auth.people.rules import mark_of
from shared.db import Transaction
from shared.errors import OneLine

LINK_LIFETIME = timedelta(days=7)
INVITATION_PATH = "/auth/invitation"

_LOGIN = re.compile(r"^[^\s\x00-\x1f\x7f\ud800-\udfff]{1,255}$")
_NAME = re.compile(r"^[^\x00-\x1f\x7f\ud800-\udfff]{1,255}$")


class InvitationError(OneLine):
    """An invitation cannot be made; the text is one line."""


def folded(login: str) -> str:
    """Return a login as it is compared, whatever its case."""
    return unicodedata.normalize("NFKC", login.strip()).casefold()


async def invite(tx: Transaction, *, issuer: str, login: str, name: str, client: str, at: datetime) -> str:
    """Invite a person, who acts as a client of clinic.yaml; return the link. Raises InvitationError."""
    login, name = folded(login), name.strip()
    if not _LOGIN.match(login):
        raise InvitationError("a login has 1 to 255 characters, none of them a space")
    if not _NAME.match(name):
        raise InvitationError("--name: a name has 1 to 255 characters")
    await tx.lock_names([f"login {login}"])
    if await queries.invited_person(tx, login) is not None:
        raise InvitationError(f"{login} is invited already; `lumbar people reset {login}` makes a new link")
    person = InvitedPerson(login=login, name=name, client=client, machine_invited_at=at)
    await tx.insert(person)
    await _record(tx, person, SignInEventKind.INVITED, at=at)
    return await _link(tx, person, issuer=issuer, at=at)


async def reset(tx: Transaction, login: str, *, issuer: str, at: datetime) -> str:
    """Take a person's password and sessions away; return a link to set a new one. Raises InvitationError."""
    person = await _found(tx, login)
    await tx.update(person, password=None)
    await events.end_sessions_of_invited(tx, person.id, reason=EndReason.PASSWORD_RESET, at=at)
    await _record(tx, person, SignInEventKind.RESET, at=at)
    return await _link(tx, person, issuer=issuer, at=at)


async def remove(tx: Transaction, login: str, *, at: datetime) -> None:
    """Remove a person, whose sessions end at once. Raises InvitationError."""
    person = await _found(tx, login)
    await tx.update(person, machine_removed_at=at, password=None)
    await queries.forget_invitations(tx, person.id)
    await events.end_sessions_of_invited(tx, person.id, reason=EndReason.PERSON_REMOVED, at=at)
    await _record(tx, person, SignInEventKind.REMOVED, at=at)


async def sign_out(tx: Transaction, login: str, *, at: datetime) -> int:
    """End all sessions of a person; return how many. Raises InvitationError."""
    person = await _found(tx, login)
    return await events.end_sessions_of_invited(tx, person.id, reason=EndReason.SIGNED_OUT, at=at)


async def open_link(tx: Transaction, secret: str, *, at: datetime) -> InvitedPerson | None:
    """Find whom a link is for, which changes nothing; None where it is over, used or nobody's."""
    return await queries.person_of_invitation(tx, mark_of(secret), at=at)


async def accept(tx: Transaction, secret: str, *, password: str, at: datetime) -> bool:
    """Set the password (as it is kept) of whom a link is for, and use it up; False where it is over."""
    person = await queries.person_of_invitation(tx, mark_of(secret), at=at)
    if person is None or await queries.forget_invitations(tx, person.id) == 0:
        return False
    await tx.update(person, password=password)
    await _record(tx, person, SignInEventKind.PASSWORD_SET, at=at)
    return True


async def _found(tx: Transaction, login: str) -> InvitedPerson:
    person = await queries.invited_person(tx, folded(login))
    if person is None:
        raise InvitationError(f"nobody was invited as {folded(login)}; `lumbar people list` says who was")
    return person


async def _link(tx: Transaction, person: InvitedPerson, *, issuer: str, at: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    await queries.forget_invitations(tx, person.id)
    await tx.insert(
        Invitation(mark=mark_of(secret), person_id=person.id, machine_expires_at=at + LINK_LIFETIME)
    )
    return f"{issuer}{INVITATION_PATH}?link={secret}"


async def _record(tx: Transaction, person: InvitedPerson, kind: SignInEventKind, *, at: datetime) -> None:
    await tx.insert(
        SignInEvent(
            machine_at=at,
            kind=kind,
            method=SignInMethod.PASSWORD,
            subject=str(person.id),
            client=person.client,
        )
    )
