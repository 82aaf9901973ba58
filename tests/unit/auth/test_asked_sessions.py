"""A service that asks the issuer whether a session goes on: its word counts, its silence for a while."""

import httpx
import pytest

from shared.auth.people import live_sessions
from shared.auth.people.live_sessions import GOES_ON_FOR, AskedSessions
from shared.errors import Unavailable


class _Issuer:
    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.answer = answer or httpx.Response(200, json={"live": True})
        self.asked: list[str] = []

    def sessions(self) -> AskedSessions:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._told))
        return AskedSessions("http://issuer.test/auth/session-status", http=http)

    def _told(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.content.decode())
        return self.answer


async def test_the_issuer_is_asked_at_every_request() -> None:
    issuer = _Issuer()
    sessions = issuer.sessions()
    assert await sessions.is_live("a")
    issuer.answer = httpx.Response(200, json={"live": False})
    assert not await sessions.is_live("a")
    assert issuer.asked == ["sid=a", "sid=a"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
    ],
)
async def test_a_silent_issuer_lets_live_sessions_go_on_for_a_while(
    answer: httpx.Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, now = _Issuer(), [1000.0]
    monkeypatch.setattr(live_sessions, "monotonic", lambda: now[0])
    sessions = issuer.sessions()
    assert await sessions.is_live("a")
    issuer.answer = answer
    now[0] += GOES_ON_FOR
    assert await sessions.is_live("a")
    with pytest.raises(Unavailable):
        await sessions.is_live("never seen")
    now[0] += 1
    with pytest.raises(Unavailable):
        await sessions.is_live("a")


async def test_a_silent_issuer_brings_no_ended_session_back() -> None:
    issuer = _Issuer()
    sessions = issuer.sessions()
    assert await sessions.is_live("a")
    issuer.answer = httpx.Response(200, json={"live": False})
    assert not await sessions.is_live("a")
    issuer.answer = httpx.Response(500)
    with pytest.raises(Unavailable):
        await sessions.is_live("a")


async def test_anything_but_true_is_no() -> None:
    issuer = _Issuer(httpx.Response(200, json={"live": "yes"}))
    assert not await issuer.sessions().is_live("a")
