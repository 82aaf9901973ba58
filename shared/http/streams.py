"""Answers without an end: whoever stops the server tells them to end, or it would wait for them.

Invariant: `end_streams` is called when the server is asked to stop, before it waits for open connections.
"""

import asyncio

from fastapi import FastAPI


def stream_end(app: FastAPI) -> asyncio.Event:
    """Give the event that every open stream of this app looks at."""
    if not hasattr(app.state, "stream_end"):
        app.state.stream_end = asyncio.Event()
    found: asyncio.Event = app.state.stream_end
    return found


def end_streams(app: FastAPI) -> None:
    """Ask every open stream of this app to end, and every later one not to begin."""
    stream_end(app).set()
