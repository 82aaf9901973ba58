"""Signing in with a login and a password; who has none, or another, is told the same after the same work."""

from dataclasses import dataclass
from typing import NoReturn

from shared.auth.people import attempts, events, queries
from shared.auth.people.accounts import Account
from shared.auth.people.figures import SignInOutcome, count_sign_in
from shared.auth.people.invitations import folded
from shared.auth.people.models import InvitedPerson, SignInMethod
from shared.auth.people.passwords import PasswordChecker, WrongPassword
from shared.clock import machine_now
from shared.db import Database

_LONGEST_LOGIN = 255


@dataclass
class TooManyAttempts(Exception):
    """Somebody, or somebody's address, has tried too often; `seconds` until it is worth it again."""

    seconds: int


class PasswordSignIn:
    """Lets invited people in."""

    def __init__(self, database: Database, *, issuer: str) -> None:
        self._database = database
        self._issuer = issuer
        self._checker = PasswordChecker()

    async def make(self, password: str) -> str:
        """Make what is kept of a new password."""
        return await self._checker.make(password)

    async def account(self, *, login: str, password: str, address: str) -> Account:
        """Return whose login and password these are; raises WrongPassword or TooManyAttempts."""
        login = folded(login[:_LONGEST_LOGIN]).encode("utf-8", "replace").decode().replace("\x00", "")
        async with self._database.transaction() as tx:
            wait = await attempts.begin_attempt(tx, login=login, address=address, at=machine_now())
            person = await queries.invited_person(tx, login)
        if wait is not None:
            count_sign_in(SignInMethod.PASSWORD, SignInOutcome.LIMITED)
            raise TooManyAttempts(wait)
        right = await self._checker.is_right(password, person.password if person is not None else None)
        if person is None or not right:
            await self._refuse(person, address=address)
        async with self._database.transaction() as tx:
            await attempts.attempt_succeeded(tx, login=login, address=address)
        return Account(
            issuer=self._issuer,
            subject=str(person.id),
            client=person.client,
            name=person.name,
            password=person.password,
        )

    async def _refuse(self, person: InvitedPerson | None, *, address: str) -> NoReturn:
        count_sign_in(SignInMethod.PASSWORD, SignInOutcome.REFUSED)
        async with self._database.transaction() as tx:
            subject = str(person.id) if person is not None else None
            refused = events.refused(
                SignInMethod.PASSWORD, subject=subject, address=address, at=machine_now()
            )
            await tx.insert(refused)
        raise WrongPassword
