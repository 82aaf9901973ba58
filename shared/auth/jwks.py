"""Public keys by their id: those of this process, or those that an issuer or a client keeps elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import httpx
from jwt import PyJWK

from shared.auth.keys import Jwk
from shared.auth.public_keys import NotAPublicKey, public_key
from shared.clock import monotonic
from shared.errors import Unavailable

JWKS_PATH = "/auth/jwks"
_REFRESH_AT_MOST_EVERY = 30.0
# What was read, or that it could not be, holds for so long: nobody who makes up tokens has it read each time,
# and a host that is silent is not waited for by each.
_HOLDS = 1.0


class Jwks(Protocol):
    """Where the public keys of an issuer or a client come from."""

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key; raises Unavailable where they cannot be read."""
        ...


class KnownJwks:
    """Keys in this process."""

    def __init__(self, keys: Iterable[Jwk]) -> None:
        self._keys = _usable(keys)

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key."""
        return self._keys.get(kid)


@dataclass(frozen=True, slots=True, kw_only=True)
class JwksRead:
    """A set of keys as it was read; `max_age` says for how many seconds its owner lets it be kept."""

    keys: Iterable[Jwk]
    max_age: float = float("inf")


ReadJwks = Callable[[], Awaitable[JwksRead]]


class FetchedJwks:
    """The keys at an address: kept, and read again for an unknown id, at most every 30 seconds.

    `read` raises Unavailable where they cannot be had. They are kept for `keep` seconds, or for less where
    their owner says so, and then read again before they count.
    """

    def __init__(self, read: ReadJwks, *, keep: float = float("inf")) -> None:
        self._read_keys = read
        self._keep = keep
        self._keys: dict[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._good_until = float("-inf")
        self._failed_at = float("-inf")
        self._reading = asyncio.Lock()

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key; raises Unavailable where they cannot be read.

        Who comes while the keys are being read waits for them: none of them is unknown before that.
        """
        if self._is_to_read(kid):
            async with self._reading:
                if self._is_to_read(kid):
                    await self._read()
        return self._keys.get(kid)

    def _is_to_read(self, kid: str) -> bool:
        now = monotonic()
        is_new = kid not in self._keys and now - self._read_at > _REFRESH_AT_MOST_EVERY
        return is_new or now >= self._good_until

    async def _read(self) -> None:
        if monotonic() - self._failed_at < _HOLDS:
            raise Unavailable("the keys could not be read a moment ago")
        try:
            read = await self._read_keys()
        except Unavailable:
            self._failed_at = monotonic()
            raise
        self._keys, self._read_at = _usable(read.keys), monotonic()
        self._good_until = self._read_at + max(_HOLDS, min(self._keep, read.max_age))


def keys_of_issuer(url: str, *, http: httpx.AsyncClient) -> ReadJwks:
    """Read the keys of our issuer, whose address the settings name."""

    async def read() -> JwksRead:
        try:
            answer = await http.get(url)
            return JwksRead(keys=answer.raise_for_status().json()["keys"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            raise Unavailable("the authorization server does not tell its keys at the moment") from None

    return read


def _usable(keys: Iterable[Jwk]) -> dict[str, PyJWK]:
    found = {}
    for jwk in keys:
        try:
            found[str(jwk["kid"])] = public_key(jwk)
        except NotAPublicKey:
            continue
    return found
