"""The floor of the ingest: a bare FastAPI route that gives the body back, `python -m bench.echo PORT`.

The server is the clinic's, with the same settings.
"""

import gc
import socket
import sys

import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response

app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)


@app.post("/echo")
async def echo(request: Request) -> Response:
    """Give the body back."""
    return Response(await request.body(), media_type="application/fhir+json")


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        gc.collect()
        gc.freeze()
        sys.stdout.write("ready\n")
        sys.stdout.flush()


def main(port: str) -> None:
    """Serve until told to stop."""
    listener = socket.create_server(("127.0.0.1", int(port)))
    configuration = uvicorn.Config(
        app, loop="none", http="httptools", ws="none", log_config=None, access_log=False, server_header=False
    )
    uvloop.run(_Server(configuration).serve(sockets=[listener]))


if __name__ == "__main__":
    main(*sys.argv[1:])
