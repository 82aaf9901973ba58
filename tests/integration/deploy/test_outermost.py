"""The outermost app: gzip for who takes it, streams as they come, pages of named origins and no others."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from deploy.serve.outermost import outermost
from deploy.settings import SettingsError, load_settings

ORIGIN = "https://app.example"
LONG = {"text": "x" * 5000}


def app(*, origins: Sequence[str] = ()) -> Starlette:
    """Make an app with a long answer, a short one and a stream without an end."""

    async def long(_: Request) -> JSONResponse:
        return JSONResponse(LONG, headers={"ETag": 'W/"1"'})

    async def short(_: Request) -> JSONResponse:
        return JSONResponse({})

    async def stream(_: Request) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield "data: first\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(events(), media_type="text/event-stream")

    routes = [
        Route("/long", long, methods=["GET", "PUT"]),
        Route("/referral/fhir/Binary/1", long),
        Route("/short", short),
        Route("/stream", stream),
    ]
    return outermost(routes, origins=origins)


def client(*, origins: Sequence[str] = (), **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app(origins=origins))
    return httpx.AsyncClient(transport=transport, base_url="http://clinic.test", headers=headers)


class TestGzip:
    async def test_is_for_long_answers_to_who_takes_it(self) -> None:
        taken = client(**{"Accept-Encoding": "gzip"})
        zipped, short = await taken.get("/long"), await taken.get("/short")
        plain = await client(**{"Accept-Encoding": "identity"}).get("/long")
        assert (zipped.headers["content-encoding"], zipped.json()) == ("gzip", LONG)
        assert int(zipped.headers["content-length"]) < len(json.dumps(LONG))
        assert "content-encoding" not in short.headers
        assert "content-encoding" not in (await taken.get("/referral/fhir/Binary/1")).headers
        assert "content-encoding" not in plain.headers
        assert plain.json() == LONG
        assert "accept-encoding" in plain.headers["vary"].lower()

    async def test_does_not_hold_the_events_of_a_stream_back(self) -> None:
        came: list[bytes] = []
        headers: dict[bytes, bytes] = {}
        first = asyncio.Event()

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers.update(dict(message["headers"]))  # type: ignore[call-overload]
            elif message.get("body"):
                came.append(bytes(message["body"]))  # type: ignore[call-overload]
                first.set()

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/stream",
            "query_string": b"",
            "headers": [(b"accept-encoding", b"gzip")],
        }
        running = asyncio.create_task(app()(scope, receive, send))  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            await first.wait()
        running.cancel()
        assert (came, b"content-encoding" in headers) == ([b"data: first\n\n"], False)


class TestOtherOrigins:
    async def test_that_are_named_may_call_with_a_token_and_read_versions(self) -> None:
        asking = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
        asking["Access-Control-Request-Headers"] = "authorization, content-type, if-match, prefer"
        before = await client(origins=[ORIGIN]).options("/long", headers=asking)
        assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert "PUT" in before.headers["access-control-allow-methods"]
        answer = await client(origins=[ORIGIN], Origin=ORIGIN).get("/long")
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    async def test_see_refusals_too(self) -> None:
        answer = await client(origins=[ORIGIN], Origin=ORIGIN).get("/nothing")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, ORIGIN)

    @pytest.mark.parametrize(
        ("origins", "origin"), [([], ORIGIN), ([ORIGIN], "https://evil.example"), ([ORIGIN], "null")]
    )
    async def test_that_are_not_named_may_not(self, origins: list[str], origin: str) -> None:
        asking = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        for answer in (
            await client(origins=origins).options("/long", headers=asking),
            await client(origins=origins, Origin=origin).get("/long"),
        ):
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "text", ["*", "app.example", "https://app.example/", "https://a.ca,,https://b.ca", "null"]
)
def test_origins_that_are_none_stop_the_start(text: str) -> None:
    with pytest.raises(SettingsError, match="LUMBAR_CORS_ORIGINS: must be origins"):
        load_settings({"LUMBAR_CORS_ORIGINS": text})


def test_origins_are_named_with_commas() -> None:
    named = load_settings({"LUMBAR_CORS_ORIGINS": "https://a.ca, http://localhost:3000"})
    assert named.origins == ("https://a.ca", "http://localhost:3000")
    assert load_settings({}).origins == ()
