"""Public keys by their id: those of this process, or those of an issuer elsewhere."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from shared.auth.keys import ALGORITHMS, Jwk
from shared.clock import monotonic
from shared.errors import Unavailable

_REFRESH_AT_MOST_EVERY = 30.0


class Jwks(Protocol):
    """Where the public keys of an issuer come from."""

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key; raises Unavailable where the issuer does not answer."""
        ...


class KnownJwks:
    """The keys of an issuer in this process."""

    def __init__(self, keys: Iterable[Jwk]) -> None:
        self._keys = _usable(keys)

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key."""
        return self._keys.get(kid)


class FetchedJwks:
    """The keys at an address: kept, and read again for an unknown id, at most every 30 seconds."""

    def __init__(self, url: str, *, http: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http
        self._keys: dict[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def key(self, kid: str) -> PyJWK | None:
        """Find a key; raises Unavailable where the issuer does not answer.

        Who comes while the keys are being read waits for them: none of them is unknown before that.
        """
        if kid not in self._keys:
            async with self._reading:
                if kid not in self._keys and monotonic() - self._read_at > _REFRESH_AT_MOST_EVERY:
                    self._read_at = monotonic()
                    self._keys = await self._read()
        return self._keys.get(kid)

    async def _read(self) -> dict[str, PyJWK]:
        try:
            answer = await self._http.get(self._url)
            return _usable(answer.raise_for_status().json()["keys"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            self._read_at = float("-inf") if not self._keys else self._read_at
            raise Unavailable("the authorization server does not tell its keys at the moment") from None


def _usable(keys: Iterable[Jwk]) -> dict[str, PyJWK]:
    found = {}
    for jwk in keys:
        if jwk.get("alg") in ALGORITHMS and isinstance(jwk.get("kid"), str):
            try:
                found[str(jwk["kid"])] = PyJWK.from_dict(dict(jwk))
            except PyJWTError:
                continue
    return found
