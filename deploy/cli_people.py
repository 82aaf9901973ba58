"""`lumbar people`: who may sign in with a password; links to set one are printed, to be handed on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from deploy.attach import attached_identity
from deploy.serve.command import clinic_of
from deploy.settings import DEFAULT_URL, load_settings
from shared.auth.people import invitations, queries
from shared.auth.people.invitations import InvitationError
from shared.clock import machine_now
from shared.db import Transaction

people = typer.Typer(help="The people who sign in with a password.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="What the person types to sign in, such as an e-mail address.")]
Result = TypeVar("Result")


@people.command()
def invite(
    login: Login,
    name: Annotated[str, typer.Option(help="The person's name, as others read it.")],
    client: Annotated[str, typer.Option(help="The client of clinic.yaml as which the person acts.")],
) -> None:
    """Invite a person; prints a link, valid once and for seven days, by which they choose a password."""
    clients = [known.id for known in clinic_of(load_settings()).clients]
    if client not in clients:
        raise InvitationError(f"--client: there is no {client!r}; allowed are {', '.join(clients)}")

    async def act(tx: Transaction) -> str:
        return await invitations.invite(
            tx, issuer=_issuer(), login=login, name=name, client=client, at=machine_now()
        )

    typer.echo(_in_transaction(act))


@people.command()
def reset(login: Login) -> None:
    """Take a person's password away and end their sessions; prints a link to choose a new one."""

    async def act(tx: Transaction) -> str:
        return await invitations.reset(tx, login, issuer=_issuer(), at=machine_now())

    typer.echo(_in_transaction(act))


@people.command()
def remove(login: Login) -> None:
    """Let a person sign in no more; their sessions end at once."""

    async def act(tx: Transaction) -> None:
        await invitations.remove(tx, login, at=machine_now())

    _in_transaction(act)
    typer.echo(f"{invitations.folded(login)} is removed")


@people.command("sign-out")
def sign_out(login: Login) -> None:
    """End all sessions of a person, who may sign in again."""

    async def act(tx: Transaction) -> int:
        return await invitations.sign_out(tx, login, at=machine_now())

    typer.echo(f"{_in_transaction(act)} sessions ended")


@people.command("list")
def list_people() -> None:
    """List the invited: login, name, client, and whether they have set a password."""
    for person in _in_transaction(queries.invited_people):
        state = "invited" if person.password is None else "active"
        typer.echo(f"{person.login}\t{person.name}\t{person.client}\t{state}")


def _issuer() -> str:
    return load_settings().url or DEFAULT_URL


def _in_transaction(act: Callable[[Transaction], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with attached_identity() as database, database.transaction() as tx:
            return await act(tx)

    return asyncio.run(run())
