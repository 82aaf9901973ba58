"""Publishes every patient as they are known now: `lumbar patients republish`.

Invariant: nothing about a person is printed.
"""

from uuid import uuid4

from deploy.attach import attached
from deploy.serve.command import clinic_of
from deploy.settings import SettingsError, load_settings, variable
from services.referral import use_cases
from shared.actor import Actor
from shared.clock import SystemClock
from shared.context import Context
from shared.db import Database
from shared.urls import Urls

_PUBLISHER = "referral"


async def run(*, batch: int) -> int:
    """Publish all patients of the clinic whose databases can be reached, and return how many.

    Raises SettingsError where the database of `referral` is not among them.
    """
    async with attached() as databases:
        if _PUBLISHER not in databases:
            raise SettingsError(f"{variable(f'{_PUBLISHER}_database_url')}: needed to publish its patients")
        return await republish_all(databases[_PUBLISHER], batch=batch)


async def republish_all(database: Database, *, batch: int) -> int:
    """Publish all patients through the outbox of `referral`, and return how many."""
    settings = load_settings()
    urls = Urls(base=settings.url or "", service=_PUBLISHER)
    clinic, cause = clinic_of(settings), str(uuid4())
    async with database.transaction() as tx:
        run = await use_cases.republish_patients.begin(tx)
    while not run.is_finished:
        ctx = Context(
            at=SystemClock().now(), actor=Actor.service(_PUBLISHER), cause=cause, clinic=clinic, urls=urls
        )
        async with database.transaction() as tx:
            run = await use_cases.republish_patients.step(ctx, tx, limit=batch)
    return run.published
