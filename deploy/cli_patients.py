"""`lumbar patients`: what an operator does with all patients at once.

Invariant: nothing about a person is printed.
"""

import asyncio
from typing import Annotated
from uuid import uuid4

import typer

from deploy.attach import attached
from deploy.serve.command import clinic_of
from deploy.settings import SettingsError, load_settings, variable
from services.referral import use_cases
from shared.actor import Actor
from shared.clock import SystemClock
from shared.context import Context
from shared.db import Database
from shared.urls import Urls

patients = typer.Typer(help="All patients at once.", no_args_is_help=True)

_PUBLISHER = "referral"


@patients.command()
def republish(
    batch: Annotated[int, typer.Option(min=1, max=1000, help="How many in one transaction.")] = 200,
) -> None:
    """Publish every patient as they are known now (`patient.changed`), for services that keep who they are.

    Run it once after an upgrade to a version whose services keep more of a patient. It goes on where it was
    ended, may be run at any time, beside the running clinic or without it, and again: a service that knows
    as much changes nothing.
    """

    async def run() -> int:
        async with attached() as databases:
            return await republish_all(_database(databases), batch=batch)

    typer.echo(f"{asyncio.run(run())} patients published again")


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


def _database(databases: dict[str, Database]) -> Database:
    if _PUBLISHER not in databases:
        raise SettingsError(f"{variable(f'{_PUBLISHER}_database_url')}: needed to publish its patients")
    return databases[_PUBLISHER]
