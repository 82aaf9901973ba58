"""The clinic's own `/openapi.json` and `/docs`: the documents of all services in one.

Invariant: they stand among the first routes of a process, before anything that is mounted at `/`.
"""

from collections.abc import Mapping

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.http import docs

TITLE = "Lumbar"


def document_routes(apps: Mapping[str, FastAPI]) -> list[Route]:
    """Give the routes of a process that serves these apps, each under its name."""

    async def openapi(_: Request) -> Response:
        documents = {service: msgspec.json.decode(app.state.openapi()) for service, app in apps.items()}
        return Response(
            msgspec.json.encode(docs.joined(documents, title=TITLE)), media_type="application/json"
        )

    return [Route("/openapi.json", openapi), Route("/docs", _page), Route("/docs/{name}", _file)]


async def _page(_: Request) -> Response:
    return docs.page(TITLE)


async def _file(request: Request) -> Response:
    return docs.found(request.path_params["name"])
