"""The portal put together: its database, its secret, and its way to the services.

The secret encrypts what is kept of sessions; it lies in the keys folder, readable by its owner only, or comes
from a setting where several processes share it. Who loses it signs everybody out, and nothing else.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from cryptography.fernet import Fernet
from starlette.routing import BaseRoute

from services.portal.languages import load_languages
from services.portal.main import create_routes
from services.portal.runtime import PortalRuntime
from shared.auth.keys import KeyFileError
from shared.clinic import Clinic
from shared.clock import Clock
from shared.db import Database

_FILE = "portal.key"
# A page makes a few calls at once, and a stream stays open for each browser.
_LIMITS = httpx.Limits(max_connections=500, max_keepalive_connections=50, keepalive_expiry=30)


@asynccontextmanager
async def open_pages(
    database: Database,
    clinic: Clinic,
    *,
    clock: Clock,
    base_url: str,
    calls_at: str,
    secret: bytes,
    transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[Sequence[BaseRoute]]:
    """Give the portal's routes for the duration of the block; `calls_at` is where the services answer."""
    http = httpx.AsyncClient(
        base_url=calls_at, transport=transport, limits=_LIMITS, trust_env=False, follow_redirects=False
    )
    async with http:
        runtime = PortalRuntime(
            database=database,
            clinic=clinic,
            clock=clock,
            base_url=base_url,
            http=http,
            secrets=Fernet(secret),
            languages=load_languages(),
        )
        yield create_routes(runtime)


def load_or_make_secret(folder: Path) -> bytes:
    """Read the portal's secret from the keys folder, made at the first start; raises KeyFileError."""
    file = folder / _FILE
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(Fernet.generate_key())
    except FileExistsError:
        pass
    if file.stat().st_mode & 0o077:
        raise KeyFileError(f"{file}: others can read this key; chmod 600 it")
    secret = file.read_bytes().strip()
    try:
        Fernet(secret)
    except ValueError:
        raise KeyFileError(f"{file}: no key of the portal; remove it, and people sign in again") from None
    return secret
