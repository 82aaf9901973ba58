"""The sessions of people: begun by a sign-in, gone on with by refreshes, ended on both sides.

Invariants:
- A code is used once; who comes with a used one ends the session that it had begun (RFC 6749 4.1.2).
- A refresh token has one successor, so parallel refreshes get the same; one that is reused later ends the
  session (RFC 9700 4.14.2).
- Whoever may not sign in any more cannot refresh either.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from shared.auth.issuer import Issuer, OAuthError
from shared.auth.people import events, queries, rules
from shared.auth.people.accounts import Account
from shared.auth.people.authorization import AuthorizationRequest
from shared.auth.people.figures import SignInOutcome, count_sign_in
from shared.auth.people.models import (
    AuthorizationCode,
    EndReason,
    RefreshToken,
    SignInMethod,
    SignInSession,
)
from shared.auth.people.passwords import WrongPassword
from shared.auth.people.rules import RefreshUse
from shared.auth.people.tokens import TokenAnswer, token_answer
from shared.auth.scopes import of_resources
from shared.clinic import Clinic
from shared.clock import machine_now
from shared.db import Database, Transaction

_KEPT = timedelta(days=30)


class PeopleSessions:
    """All sessions of one issuer; `demo` says that demo people may sign in."""

    def __init__(self, clinic: Clinic, *, issuer: Issuer, database: Database, demo: bool) -> None:
        self._clinic = clinic
        self._issuer = issuer
        self._database = database
        self._demo = demo

    async def begin(
        self,
        account: Account,
        asked: AuthorizationRequest,
        *,
        method: SignInMethod,
        locale: str,
        address: str,
    ) -> str:
        """Begin a session for a person who has proved who they are; return the code for the application.

        Raises WrongPassword where the password was taken away since it was looked at.
        """
        now, code = machine_now(), secrets.token_urlsafe(32)
        session = _new_session(account, asked, method=method, locale=locale, at=now)
        async with self._database.transaction() as tx:
            if account.password is not None and not await queries.hold_password(tx, account):
                raise WrongPassword
            await queries.forget_sessions(tx, began_before=now - _KEPT)
            await tx.insert(session)
            await tx.insert(_new_code(code, session, asked, at=now))
            await tx.insert(events.signed_in(session, address=address))
        count_sign_in(method, SignInOutcome.DONE)
        return code

    async def exchange_code(self, form: Mapping[str, str]) -> TokenAnswer:
        """Change a code for the first tokens of its session; raises OAuthError."""
        now = machine_now()
        async with self._database.transaction() as tx:
            result = await self._exchanged(tx, form, at=now)
        return _given(result)

    async def refresh(self, presented: str) -> TokenAnswer:
        """Change a refresh token for new tokens, which counts as an act of the person; raises OAuthError."""
        now = machine_now()
        async with self._database.transaction() as tx:
            result = await self._refreshed(tx, presented, at=now)
        return _given(result)

    async def find(self, session_id: str) -> SignInSession | None:
        """Find a session that goes on."""
        if (known := _uuid(session_id)) is None:
            return None
        async with self._database.transaction() as tx:
            session = await queries.session(tx, known)
        return session if session is not None and self._goes_on(session, at=machine_now()) else None

    async def is_live(self, session: str) -> bool:
        """Tell whether a session goes on."""
        return await self.find(session) is not None

    async def end(self, session_id: str, *, reason: EndReason) -> bool:
        """End a session; tell whether it went on until now."""
        if (known := _uuid(session_id)) is None:
            return False
        async with self._database.transaction() as tx:
            return await events.end_session(tx, known, reason=reason, at=machine_now())

    async def end_demo(self) -> None:
        """End the sessions of demo people where there are none any more."""
        if not self._demo:
            async with self._database.transaction() as tx:
                await events.end_demo_sessions(tx, at=machine_now())

    async def _exchanged(
        self, tx: Transaction, form: Mapping[str, str], *, at: datetime
    ) -> TokenAnswer | OAuthError:
        code = await queries.code_for_update(tx, rules.mark_of(form.get("code", "")))
        if code is None:
            return OAuthError("invalid_grant", "there is no such code")
        if code.machine_used_at is not None:
            await events.end_session(tx, code.session_id, reason=EndReason.CODE_REPLAYED, at=at)
            return OAuthError("invalid_grant", "the code was used before; its session has been ended")
        await tx.update(code, machine_used_at=at)
        flaw = rules.code_flaw(
            code, redirect_uri=form.get("redirect_uri"), verifier=form.get("code_verifier"), at=at
        )
        session = await queries.session(tx, code.session_id)
        if flaw is not None or session is None or not self._goes_on(session, at=at):
            return OAuthError("invalid_grant", flaw or "the session has ended; sign in again")
        token = secrets.token_urlsafe(32)
        await tx.insert(RefreshToken(mark=rules.mark_of(token), session_id=session.id))
        return self._answer(session, token, nonce=code.nonce, at=at)

    async def _refreshed(self, tx: Transaction, presented: str, *, at: datetime) -> TokenAnswer | OAuthError:
        mark = rules.mark_of(presented)
        known = await queries.refresh_token(tx, mark)
        session = await queries.session_for_update(tx, known.session_id) if known is not None else None
        token = await queries.refresh_token(tx, mark)
        if token is None or session is None:
            return OAuthError("invalid_grant", "there is no such refresh token")
        if not self._goes_on(session, at=at):
            return OAuthError("invalid_grant", "the session has ended; sign in again")
        following = rules.successor_of(presented, secret=session.secret)
        successor = await queries.refresh_token(tx, rules.mark_of(following))
        match rules.refresh_use(token, successor=successor, at=at):
            case RefreshUse.REUSED:
                await events.end_session(tx, session.id, reason=EndReason.TOKEN_REUSED, at=at)
                return OAuthError("invalid_grant", "the refresh token was used before; the session has ended")
            case RefreshUse.FIRST:
                await tx.update(token, machine_used_at=at)
                await tx.insert(RefreshToken(mark=rules.mark_of(following), session_id=session.id))
        await tx.update(session, machine_last_act_at=at)
        return self._answer(session, following, nonce=None, at=at)

    def _answer(self, session: SignInSession, token: str, *, nonce: str | None, at: datetime) -> TokenAnswer:
        client = self._clinic.client(session.client)
        return token_answer(self._issuer, session, client, refresh_token=token, nonce=nonce, at=at)

    def _goes_on(self, session: SignInSession, *, at: datetime) -> bool:
        is_ours = session.method != SignInMethod.CLINIC_ISSUER
        if is_ours and session.issuer != self._issuer.base_url:
            return False
        if session.method == SignInMethod.DEMO and not self._demo:
            return False
        known = any(client.id == session.client for client in self._clinic.clients)
        return known and rules.is_live(session, at=at)


def _new_session(
    account: Account, asked: AuthorizationRequest, *, method: SignInMethod, locale: str, at: datetime
) -> SignInSession:
    return SignInSession(
        issuer=account.issuer,
        subject=account.subject,
        client=account.client,
        application=asked.application,
        name=account.name,
        locale=locale,
        method=method,
        scope=" ".join(of_resources(asked.scope.split())),
        secret=secrets.token_bytes(32),
        machine_began_at=at,
        machine_last_act_at=at,
    )


def _new_code(
    code: str, session: SignInSession, asked: AuthorizationRequest, *, at: datetime
) -> AuthorizationCode:
    return AuthorizationCode(
        mark=rules.mark_of(code),
        session_id=session.id,
        redirect_uri=asked.redirect_uri,
        code_challenge=asked.code_challenge,
        nonce=asked.nonce,
        machine_expires_at=at + rules.CODE_LIFETIME,
    )


def _given(result: TokenAnswer | OAuthError) -> TokenAnswer:
    """Raise a refusal only now, so that what it has written stands."""
    if isinstance(result, OAuthError):
        raise result
    return result


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
