"""`lumbar cluster up` and `down`: the distributed shape on this machine, by one command."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deploy.folders import cluster_folder
from deploy.settings import Settings, load_settings
from deploy.shape import check_embedded

cluster = typer.Typer(
    help="The distributed shape on this machine, two of every process.", no_args_is_help=True
)

FolderOption = Annotated[
    Path | None, typer.Option("--data", help="The cluster's folder, else `cluster` in LUMBAR_DATA.")
]


class Carrier(StrEnum):
    """What carries the events."""

    KAFKA = "kafka"
    POSTGRES = "postgres"


@cluster.command()
def up(
    data: FolderOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The gateway's port on 127.0.0.1.")] = 8080,
    replicas: Annotated[int, typer.Option(min=1, max=8, help="How many of each process.")] = 2,
    transport: Annotated[Carrier, typer.Option(help="What carries the events.")] = Carrier.KAFKA,
) -> None:
    """Run Kafka, PostgreSQL, the issuer, the gateway and every service's processes, until Ctrl-C."""
    from deploy.cluster import Cluster, supervise
    from deploy.serve.http import listen

    settings = load_settings()
    check_embedded(settings, command="cluster up")
    listen(port).close()
    folder = data or cluster_folder(settings.data)
    running = Cluster(
        folder, transport=transport.value, replicas=replicas, port=port, environment=_passed_on(settings)
    )
    typer.echo(f"starting the cluster (data and logs in {folder})")
    supervise.run(
        running,
        ready=lambda: typer.echo(
            f"Lumbar's cluster is up at {running.url} (Ctrl-C or `cluster down` stops it)"
        ),
    )


@cluster.command()
def down(data: FolderOption = None) -> None:
    """Stop the cluster that runs in this folder."""
    from deploy.cluster import supervise

    settings = load_settings()
    folder = data or cluster_folder(settings.data)
    supervise.stop(folder)
    typer.echo(f"the cluster in {folder} has stopped")


def _passed_on(settings: Settings) -> dict[str, str]:
    """Give the settings that every process of the cluster shall have too."""
    given = {
        "LUMBAR_CLINIC": settings.clinic and str(settings.clinic.absolute()),
        "LUMBAR_SMTP_URL": settings.smtp_url,
        "LUMBAR_SMS_URL": settings.sms_url,
        "LUMBAR_TRACE_RATIO": str(settings.trace_ratio),
        "LUMBAR_OTLP_ENDPOINT": settings.otlp_endpoint,
    }
    return {name: text for name, text in given.items() if text}
