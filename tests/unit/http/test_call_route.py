"""A route is handed its Call and the texts of its path; who asks for more is served as FastAPI does."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from shared.errors import Forbidden
from shared.http.guard import Guard, Requirement
from shared.http.route import CallRoute


async def opened(request: Request, guard: Guard) -> Any:
    if "refuse" in request.headers:
        raise Forbidden("not you")
    return f"call for {guard.resource_type}"


@pytest.fixture
async def http() -> Any:
    guarded = Depends(Requirement(Guard(resource_type="Task", interaction="r", rows="all"), opened))
    router = APIRouter(route_class=CallRoute)

    @router.get("/{id}/_history/{version}")
    async def version(version: str, id: str, call: Any = guarded) -> Response:
        return PlainTextResponse(f"{id} {version} {call}")

    @router.get("/numbered/{number}")
    async def numbered(number: int, asked: str = "nothing", call: Any = guarded) -> Response:
        return PlainTextResponse(f"{number + 1} {asked} {call}")

    app = FastAPI()
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        yield client


async def test_hands_over_what_the_path_says_by_its_name(http: httpx.AsyncClient) -> None:
    assert (await http.get("/a-1/_history/2")).text == "a-1 2 call for Task"


async def test_calls_no_endpoint_where_the_guard_refuses(http: httpx.AsyncClient) -> None:
    with pytest.raises(Forbidden):
        await http.get("/a-1/_history/2", headers={"refuse": "yes"})


async def test_reads_numbers_and_the_query_as_fastapi_does(http: httpx.AsyncClient) -> None:
    assert (await http.get("/numbered/7?asked=this")).text == "8 this call for Task"
    assert (await http.get("/numbered/seven")).status_code == 422


async def test_solves_nothing_for_who_asks_for_no_more(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastapi.routing.solve_dependencies", None)
    assert (await http.get("/a-1/_history/2")).status_code == 200
    with pytest.raises(TypeError):
        await http.get("/numbered/7")
