"""Identity in tests: the real authorization server, its keys made once per test run."""

from collections.abc import AsyncGenerator
from functools import cache
from pathlib import Path

import httpx

from shared.auth.assertion import fetch_token
from shared.auth.keys import Keys, load_or_make_keys
from shared.clock import monotonic
from tests.support.server import run

_RENEW_AFTER = 200.0


def keys_of_run() -> Path:
    """Name the folder of the keys of this test run."""
    return run()[1] / "keys"


@cache
def keys_of(clients: tuple[str, ...]) -> Keys:
    """Make or read the keys of these clients and of the issuer, once in each process."""
    return load_or_make_keys(keys_of_run(), clients=clients)


class PartyAuth(httpx.Auth):
    """Gets a client's token from the issuer at the first request, and a new one before it expires."""

    def __init__(self, client: str, *, base_url: str, http: httpx.AsyncClient) -> None:
        self._client = client
        self._base_url = base_url
        self._http = http
        self._token = ""
        self._renewed = float("-inf")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Put the token on the request."""
        if monotonic() - self._renewed > _RENEW_AFTER:
            self._token = await fetch_token(self._base_url, self._client, keys_of_run(), http=self._http)
            self._renewed = monotonic()
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
