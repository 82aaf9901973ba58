"""The road of a client that asks until it is told: the same request with the same Idempotency-Key, again."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import httpx

from shared.auth.assertion import TokenRefused, fetch_token
from shared.auth.keys import KeyFileError
from shared.clock import monotonic
from tests.failure.history import Asking, History, Operation, Outcome

_PAUSE = 0.05
_ANSWER_WITHIN = 15.0
_TOKEN_LASTS = 200.0
_GIVES_UP = 0.05
# What comes by POST, writes nothing, and is kept for no key.
_ONLY_ASKS = ("$find", "$preview")


class GaveUp(Exception):
    """The client no longer asks: what it asked for is unknown to it for ever."""


class Road(httpx.AsyncBaseTransport):
    """Leads one party's requests to the clinic and notes them; raises GaveUp where it stops asking.

    One write in twenty is given up after its first lost answer; all are when `over` says that time is up.
    """

    def __init__(
        self, party: str, *, history: History, chance: random.Random, over: Callable[[], bool]
    ) -> None:
        self._party = party
        self._history = history
        self._chance = chance
        self._over = over
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        operation = self._note(request)
        gives_up = operation is not None and self._chance.random() < _GIVES_UP
        while True:
            answer = await self._ask(request, operation)
            if answer is not None and answer.status_code < 500:
                return answer
            if self._over() or (gives_up and operation is not None and operation.lost):
                raise GaveUp(f"{request.method} {request.url.path}")
            await asyncio.sleep(self._chance.uniform(_PAUSE, 4 * _PAUSE))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _note(self, request: httpx.Request) -> Operation | None:
        key = request.headers.get("idempotency-key")
        if key is None or request.url.path.endswith(_ONLY_ASKS):
            return None
        operation = Operation(
            party=self._party,
            method=request.method,
            path=request.url.path,
            key=key,
            identifier=request.headers.get("x-test-identifier"),
        )
        self._history.operations.append(operation)
        return operation

    async def _ask(self, request: httpx.Request, operation: Operation | None) -> httpx.Response | None:
        begin = monotonic()
        answer: httpx.Response | None = None
        sent = True
        try:
            found = await self._inner.handle_async_request(request)
            body = await found.aread()
            answer = httpx.Response(found.status_code, headers=_plain(found), content=body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            sent = False
        except httpx.TransportError:
            pass
        status = None if answer is None else answer.status_code
        self._history.askings.append(
            Asking(
                at=begin,
                seconds=monotonic() - begin,
                ingest=operation is not None and operation.identifier is not None,
                status=status,
                retry_after=answer is not None and "retry-after" in answer.headers,
            )
        )
        if operation is not None:
            _learn(operation, answer, sent=sent)
        return answer


def _plain(answer: httpx.Response) -> dict[str, str]:
    """Give the headers without those that are about the bytes as they were sent."""
    of_bytes = ("content-encoding", "content-length", "transfer-encoding")
    return {name: text for name, text in answer.headers.items() if name not in of_bytes}


def _learn(operation: Operation, answer: httpx.Response | None, *, sent: bool) -> None:
    operation.attempts += 1
    if answer is None or answer.status_code >= 500:
        operation.lost += sent
        return
    operation.status, operation.answer = answer.status_code, answer.content
    operation.outcome = Outcome.ACKNOWLEDGED if answer.is_success else Outcome.FAILED


class Roads:
    """Gives the HTTP client of a party with that party's token, renewed before it expires."""

    def __init__(
        self, url: str, *, keys: Path, history: History, chance: random.Random, over: Callable[[], bool]
    ) -> None:
        self._url = url
        self._keys = keys
        self._history = history
        self._chance = chance
        self._over = over
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._tokens: dict[str, float] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def __call__(self, party: str) -> httpx.AsyncClient:
        """Give the client of a party; raises GaveUp where no token can be had until time is up."""
        if party not in self._clients:
            road = Road(party, history=self._history, chance=self._chance, over=self._over)
            self._clients[party] = httpx.AsyncClient(
                base_url=self._url, transport=road, timeout=_ANSWER_WITHIN
            )
        client = self._clients[party]
        async with self._asking.setdefault(party, asyncio.Lock()):
            if monotonic() > self._tokens.get(party, 0.0):
                client.headers["authorization"] = f"Bearer {await self._token(party)}"
                self._tokens[party] = monotonic() + _TOKEN_LASTS
        return client

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def _token(self, party: str) -> str:
        async with httpx.AsyncClient(timeout=_ANSWER_WITHIN) as http:
            while not self._over():
                try:
                    return await fetch_token(self._url, party, self._keys, http=http)
                except (httpx.HTTPError, TokenRefused, KeyFileError, ValueError, KeyError):
                    await asyncio.sleep(4 * _PAUSE)
        raise GaveUp(f"a token for {party}")
