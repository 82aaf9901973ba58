"""The floor of the edge: bare FastAPI routes that give a body back, `python -m bench.echo PORT`.

The server is the clinic's, with the same settings.
"""

import socket
import sys

import uvloop
from fastapi import FastAPI, Request, Response

from deploy.serve.http import Server, configuration

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)


@app.post("/echo")
async def echo(request: Request) -> Response:
    """Give the body back."""
    return Response(await request.body(), media_type="application/fhir+json")


@app.put("/kept")
async def keep(request: Request) -> Response:
    """Keep the body, for whoever reads it."""
    app.state.kept = await request.body()
    return Response(status_code=204)


@app.get("/kept")
async def read_kept() -> Response:
    """Give what was kept."""
    return Response(app.state.kept, media_type="application/fhir+json")


def main(port: str) -> None:
    """Serve until told to stop."""
    listener = socket.create_server(("127.0.0.1", int(port)))
    server = Server(configuration(app, lifespan=False), ready=_say_so, end_streams=lambda: None)
    uvloop.run(server.serve(sockets=[listener]))


def _say_so() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
