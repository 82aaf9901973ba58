"""Passwords: what one must be, and argon2id, whose work is the same whether anybody has such a name.

Why these numbers: twelve characters are the least that guessing at the door does not find, 256 bound the work
(NIST SP 800-63B asks for at least 64); two hashes at a time bound the memory, 64 MiB each.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

SHORTEST = 12
LONGEST = 256
_AT_ONCE = 2

_hasher = PasswordHasher()
# What nobody's password is held against where there is nobody: made once, with today's parameters.
_OF_NOBODY = _hasher.hash("nobody has this password, and nobody ever gets in by it")


class WrongPassword(Exception):
    """Login and password do not belong together, whichever of them it is."""


class PasswordChecker:
    """Makes and checks passwords in threads, a few at a time."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def make(self, password: str) -> str:
        """Make what is kept of a password."""
        async with self._free:
            return await asyncio.to_thread(_hasher.hash, normalized(password))

    async def is_right(self, password: str, kept: str | None) -> bool:
        """Tell whether a password is the one that is kept; without one it takes as long, and never is."""
        async with self._free:
            right = await asyncio.to_thread(_verified, kept or _OF_NOBODY, normalized(password))
        return right and kept is not None


def flaw_of(password: str, *, login: str) -> str | None:
    """Name what is wrong with a new password, as a key of the texts, or None."""
    given = normalized(password)
    if len(given) < SHORTEST:
        return "password-short"
    if len(given) > LONGEST:
        return "password-long"
    if login in given.casefold() or len(set(given)) < 5:
        return "password-easy"
    return None


def normalized(password: str) -> str:
    """Return a password as it is compared: the same characters however a keyboard composes them."""
    return unicodedata.normalize("NFC", password)


def _verified(kept: str, password: str) -> bool:
    if len(password) > LONGEST:
        password = ""
    try:
        return _hasher.verify(kept, password.encode("utf-8", "surrogatepass"))
    except (Argon2Error, InvalidHashError):
        return False
