"""Sessions of browsers: begun at a sign-in, found by a cookie, refreshed once, ended on both sides.

Invariants:
- A sign-in always makes a new id, so one that was planted before is nobody's.
- Of parallel requests whose access token has run out one asks the issuer, and the others wait for its answer
  (the row is locked).
- Only a request that a person makes asks for a refresh; the stream of live news never does.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from services.portal import queries
from services.portal.issuer import Granted, Issuer, SessionOver
from services.portal.models import Draft, Session
from services.portal.runtime import PortalRuntime
from shared.clock import machine_now
from shared.db import Transaction

# A token that ends within a page's calls is renewed before them.
_BEFORE_ITS_END = timedelta(seconds=20)
# Words are kept for whoever was signed out by time: until the next morning, not for ever.
_DRAFTS_KEPT = timedelta(hours=72)
_KNOWN_AFTER_END = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person who is signed in, as a page sees them; `key` names the session, `token` calls the services."""

    key: bytes
    subject: str
    name: str
    party: str
    client: str
    fhir_user: str | None
    token: str
    ends_at: datetime


class Sessions:
    """The sessions of one portal."""

    def __init__(self, runtime: PortalRuntime, issuer: Issuer) -> None:
        self._runtime = runtime
        self._issuer = issuer

    async def begin(self, granted: Granted) -> str:
        """Begin a session and return the cookie's value."""
        value, now = secrets.token_urlsafe(32), machine_now()
        claims, tokens = granted.claims, granted.tokens
        session = Session(
            id_hash=_hashed(value),
            subject=claims["sub"],
            name=claims.get("name", ""),
            party=claims["party"],
            client=claims.get("client_id", claims["sub"]),
            fhir_user=claims.get("fhirUser"),
            tokens=self._sealed(tokens),
            machine_access_until=now + timedelta(seconds=tokens["expires_in"]),
            machine_ends_at=now + timedelta(seconds=tokens["refresh_token_expires_in"]),
        )
        async with self._runtime.database.transaction() as tx:
            await queries.sweep(tx, before=now - _KNOWN_AFTER_END, now=now)
            await tx.insert(session)
        return value

    async def find(self, value: str | None, *, is_act: bool) -> SignedIn | None:
        """Find the person of a cookie, with a token that is good for a page; None where the session is over.

        `is_act` says that a person asked for something: only then a session is prolonged. Raises IssuerAway.
        """
        if not value:
            return None
        now = machine_now()
        async with self._runtime.database.transaction() as tx:
            session = await queries.session(tx, _hashed(value), now=now)
        if session is None:
            return None
        if is_act and session.machine_access_until - _BEFORE_ITS_END <= now:
            return await self._refreshed(session.id_hash)
        return self._signed_in(session)

    async def extend(self, value: str | None) -> SignedIn | None:
        """Prolong a session because its person says so; None where it is over. Raises IssuerAway."""
        return await self._refreshed(_hashed(value), is_asked=True) if value else None

    async def end(self, value: str | None) -> None:
        """End a session here and at the issuer; raises IssuerAway after it has ended here."""
        if not value:
            return
        async with self._runtime.database.transaction() as tx:
            session = await queries.ended_session(tx, _hashed(value))
            await queries.end_session(tx, _hashed(value))
        if session is not None:
            await self._issuer.end(self._opened(session.tokens)["id_token"])

    async def keep_words(self, value: str | None, *, path: str, fields: Mapping[str, Any]) -> bool:
        """Keep what the person of an ended session had typed; tells whether their owner is known."""
        if not value:
            return False
        async with self._runtime.database.transaction() as tx:
            session = await queries.ended_session(tx, _hashed(value))
            if session is None:
                return False
            await self._keep(tx, session.subject, path=path, fields=fields)
        return True

    async def keep_draft(self, person: SignedIn, *, path: str, fields: Mapping[str, Any]) -> None:
        """Keep what a person has typed."""
        async with self._runtime.database.transaction() as tx:
            await self._keep(tx, person.subject, path=path, fields=fields)

    async def draft(self, person: SignedIn, *, path: str) -> Mapping[str, Any]:
        """Give what a person had typed into a page, nothing where there is none."""
        async with self._runtime.database.transaction() as tx:
            found = await queries.draft(tx, subject=person.subject, path=path, now=machine_now())
        return {} if found is None else self._opened(found.fields)

    async def forget_draft(self, person: SignedIn, *, path: str) -> None:
        """Forget what a person had typed, because it was sent."""
        async with self._runtime.database.transaction() as tx:
            await queries.forget_draft(tx, subject=person.subject, path=path)

    async def _refreshed(self, id_hash: bytes, *, is_asked: bool = False) -> SignedIn | None:
        async with self._runtime.database.transaction() as tx:
            now = machine_now()
            session = await queries.session_for_update(tx, id_hash, now=now)
            if session is None:
                return None
            if not is_asked and session.machine_access_until - _BEFORE_ITS_END > now:
                return self._signed_in(session)
            tokens = dict(self._opened(session.tokens))
            try:
                tokens |= await self._issuer.refresh(tokens["refresh_token"])
            except SessionOver:
                # The row stays a while, so that it is known whose words were on their way.
                await tx.update(session, machine_ends_at=now)
                return None
            await tx.update(
                session,
                tokens=self._sealed(tokens),
                machine_access_until=now + timedelta(seconds=tokens["expires_in"]),
                machine_ends_at=now + timedelta(seconds=tokens["refresh_token_expires_in"]),
            )
            return self._signed_in(session)

    async def _keep(self, tx: Transaction, subject: str, *, path: str, fields: Mapping[str, Any]) -> None:
        kept_until = machine_now() + _DRAFTS_KEPT
        sealed = self._sealed(fields)
        await queries.keep_draft(
            tx, Draft(subject=subject, path=path, fields=sealed, machine_kept_until=kept_until)
        )

    def _signed_in(self, session: Session) -> SignedIn:
        return SignedIn(
            key=session.id_hash,
            subject=session.subject,
            name=session.name,
            party=session.party,
            client=session.client,
            fhir_user=session.fhir_user,
            token=self._opened(session.tokens)["access_token"],
            ends_at=session.machine_ends_at,
        )

    def _sealed(self, value: Mapping[str, Any]) -> bytes:
        return self._runtime.secrets.encrypt(msgspec.json.encode(value))

    def _opened(self, sealed: bytes) -> dict[str, Any]:
        opened: dict[str, Any] = msgspec.json.decode(self._runtime.secrets.decrypt(sealed))
        return opened


def _hashed(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
