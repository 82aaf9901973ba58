"""The parties of the demo: an HTTP client for each, with that party's own token."""

from collections.abc import Awaitable, Callable

import httpx

from shared.clock import monotonic

TokenFor = Callable[[str], Awaitable[str]]
PATIENT = "patient"
_RENEW_AFTER = 200.0
_ANSWER_WITHIN = 30.0


class Parties:
    """Gives the client of a party; `token_for` asks the clinic's issuer for a token in the party's name."""

    def __init__(self, address: str, *, road: httpx.AsyncBaseTransport, token_for: TokenFor) -> None:
        self._address = address
        self._road = road
        self._token_for = token_for
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._renewed: dict[str, float] = {}

    async def __call__(self, party: str) -> httpx.AsyncClient:
        """Give the client of a party, its token renewed before it expires; a patient has no token."""
        client = self._clients.get(party)
        if client is None:
            client = httpx.AsyncClient(base_url=self._address, transport=self._road, timeout=_ANSWER_WITHIN)
            self._clients[party] = client
        if party == PATIENT:
            return client
        if monotonic() - self._renewed.get(party, float("-inf")) > _RENEW_AFTER:
            client.headers["authorization"] = f"Bearer {await self._token_for(party)}"
            self._renewed[party] = monotonic()
        return client

    async def close(self) -> None:
        """Close every connection."""
        await self._road.aclose()
