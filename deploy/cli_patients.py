"""`lumbar patients`: what an operator does with all patients at once."""

import asyncio
from typing import Annotated

import typer

patients = typer.Typer(help="All patients at once.", no_args_is_help=True)


@patients.command()
def republish(
    batch: Annotated[int, typer.Option(min=1, max=1000, help="How many in one transaction.")] = 200,
) -> None:
    """Publish every patient as they are known now (`patient.changed`), for services that keep who they are.

    Run it once after an upgrade to a version whose services keep more of a patient. It goes on where it was
    ended, may be run at any time, beside the running clinic or without it, and again: a service that knows
    as much changes nothing.
    """
    from deploy import republishing

    typer.echo(f"{asyncio.run(republishing.run(batch=batch))} patients published again")
