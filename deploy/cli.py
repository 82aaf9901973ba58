"""`lumbar`: every command; what is wrong with the surroundings is told in one line, with exit status 2."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy import cli_cluster, cli_events, cli_patients, cli_people, cli_simulate
from deploy.folders import cluster_folder, keys_folder
from deploy.serve.command import PARTS, clinic_of
from deploy.settings import DEFAULT_URL, Settings, load_settings
from deploy.shape import is_distributed
from shared.clinic import Clinic
from shared.errors import OneLine


class _Lumbar(typer.Typer):
    """The commands; an error of the surroundings is printed as its one line, whichever command met it."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().__call__(*arguments, **options)
        except OneLine as error:
            typer.echo(f"lumbar: {error}", err=True)
            sys.exit(2)


app = _Lumbar(
    help="Care coordination for back-pain rehabilitation centres.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_cluster.cluster, name="cluster")
app.command()(cli_simulate.simulate)


def _of_a_running_cluster() -> None:
    """Let the command talk to the local cluster where that is what runs, and nothing else was named."""
    from deploy.cluster.place import settings_of
    from deploy.embedded import running_server

    settings = load_settings()
    if not is_distributed(settings) and running_server(settings.data) is None:
        os.environ.update(settings_of(cluster_folder(settings.data)) or settings_of(settings.data))


app.add_typer(cli_events.events, name="events", callback=_of_a_running_cluster)
app.add_typer(cli_events.dead_letters, name="dead-letters", callback=_of_a_running_cluster)
app.add_typer(cli_patients.patients, name="patients", callback=_of_a_running_cluster)
app.add_typer(cli_people.people, name="people", callback=_of_a_running_cluster)

DataOption = Annotated[
    Path | None, typer.Option("--data", help="The data folder, else LUMBAR_DATA, else .lumbar.")
]


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1.")] = 8080,
    data: DataOption = None,
) -> None:
    """Run the clinic: all services, the event log and the database in one process, until Ctrl-C."""
    from deploy import up as serving

    settings, clinic = _surroundings()
    folder = data or settings.data
    serving.run(settings, clinic, data=folder, port=port, ready=lambda url: _say_up(url, folder))


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option("--data", help="Keep the clinic in this folder, which must be empty.")
    ] = None,
) -> None:
    """Play twelve weeks of care in time-lapse: a timeline, a summary, exit status 0 if all of it happened."""
    from deploy.demo import run

    _, clinic = _surroundings()
    if data is not None and data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise OneLine(f"--data {data}: the demo needs an empty folder")
    raise typer.Exit(run(clinic, data=data))


@app.command()
def migrate(data: DataOption = None) -> None:
    """Bring the databases to this version's schema: those that the settings name, else the embedded clinic's.

    Run it as their owner, before processes of a new version start; it makes Kafka's topics too.
    """
    settings = load_settings()

    async def bring_up_to_date() -> None:
        if is_distributed(settings):
            from deploy.migrating import migrate_all

            versions = await migrate_all(settings)
        else:
            from deploy.attach import attached
            from deploy.runtime import current_versions

            async with attached(data or settings.data) as databases:
                versions = await current_versions(databases)
        for service, version in versions.items():
            typer.echo(f"{service} {version}")

    asyncio.run(bring_up_to_date())


@app.command()
def serve(
    part: Annotated[str, typer.Argument(help=f"One of {', '.join(PARTS)}.")],
    role: Annotated[str | None, typer.Option(help="Of a service: api or worker.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port, 0 for any free one.")] = 8080,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
) -> None:
    """Run one process of the distributed shape until it is told to stop."""
    from deploy.serve.command import serve_part

    serve_part(part, role=role, port=port, host=host)


@app.command()
def secrets(data: DataOption = None) -> None:
    """Make a secret for each webhook receiver of clinic.yaml that has none, in the data folder.

    For the distributed shape, whose workers of notifications share them; `up` and `cluster up` do it too.
    """
    from deploy.receivers import make_receivers_secrets

    settings, clinic = _surroundings()
    folder = make_receivers_secrets(clinic, data=data or settings.data)
    for receiver in clinic.webhooks:
        typer.echo(folder / f"{receiver.id}.secret")


@app.command()
def token(client: Annotated[str, typer.Argument(help="The client's id in clinic.yaml.")]) -> None:
    """Print a bearer token of a client of the embedded clinic or the local cluster, and nothing else."""
    import httpx

    from shared.auth.assertion import TokenRefused, fetch_token

    settings, clinic = _surroundings()
    if client not in {known.id for known in clinic.clients}:
        raise OneLine(f"no client {client!r}; allowed are {', '.join(one.id for one in clinic.clients)}")
    if clinic.client(client).has_own_keys:
        raise OneLine(
            f"{client!r} has registered its own keys in clinic.yaml, so it alone can sign for a token"
        )
    url = settings.url or DEFAULT_URL
    try:
        typer.echo(asyncio.run(fetch_token(url, client, _keys(settings.data, url=url))))
    except (TokenRefused, httpx.HTTPError) as error:
        said = str(error) or type(error).__name__
        raise OneLine(f"no token from {url} ({said}): is the clinic up? LUMBAR_URL says where") from error


def _keys(data: Path, *, url: str) -> Path:
    """Find the clients' keys: of the cluster that runs at this address, else of the data folder."""
    from deploy.cluster.place import running_cluster

    folder = cluster_folder(data)
    running = running_cluster(folder)
    return keys_folder(folder if running is not None and running.url == url else data)


def _surroundings() -> tuple[Settings, Clinic]:
    settings = load_settings()
    return settings, clinic_of(settings)


def _say_up(url: str, folder: Path) -> None:
    typer.echo(f"Lumbar is up at {url} (data in {folder}, Ctrl-C stops it); its pages: {url}/")


if __name__ == "__main__":
    app()
