"""The HTTP process of `notifications`."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.notifications import api, queries
from shared.db import Transaction
from shared.http import app
from shared.runtime import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Make this service's app."""
    return app.create_app(
        runtime,
        title="Lumbar notifications",
        routers=api.ROUTERS,
        patients_of_site=queries.visible.patients_of_site,
        more_health=_deliveries,
    )


async def _deliveries(tx: Transaction) -> Mapping[str, Any]:
    """Count the messages by where they stand."""
    return {"deliveries": await queries.messages.by_status(tx)}
