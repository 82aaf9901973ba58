"""Run one process of the distributed shape: check its settings, take its port, serve until told to stop."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from deploy.serve.http import HOST, Served, listen, serve
from deploy.settings import Settings
from deploy.shape import Role, check_demo_people, check_gateway, check_issuer, check_portal, check_service
from shared import failpoints
from shared.clinic import Clinic
from shared.telemetry.logging import start_logging
from shared.telemetry.tracing import start_tracing

Ready = Callable[[int], None]


def run_service(
    settings: Settings, clinic: Clinic, *, service: str, role: Role, port: int, ready: Ready, host: str = HOST
) -> None:
    """Serve the api or the worker of a service; raises SettingsError, NotStarted or ClinicFileError."""
    check_service(settings, service=service, role=role)
    listener = listen(port, host=host)
    start_logging(service=service, role=role)
    failpoints.arm()
    start_tracing(ratio=settings.trace_ratio)
    serve(
        partial(_part(role), settings, clinic, service=service),
        listener=listener,
        ready=lambda: ready(listener.getsockname()[1]),
        trusted_proxies=settings.trusted_proxies,
    )


def run_issuer(settings: Settings, clinic: Clinic, *, port: int, ready: Ready, host: str = HOST) -> None:
    """Serve the issuer; raises SettingsError, NotStarted or KeyFileError."""
    from deploy.serve.issuer import issuer

    check_issuer(settings)
    check_demo_people(settings, clinic, host=host)
    listener = listen(port, host=host)
    start_logging(service="issuer")
    start_tracing(ratio=settings.trace_ratio)
    serve(
        partial(issuer, settings, clinic),
        listener=listener,
        ready=lambda: ready(listener.getsockname()[1]),
        trusted_proxies=settings.trusted_proxies,
    )


def run_portal(settings: Settings, clinic: Clinic, *, port: int, ready: Ready, host: str = HOST) -> None:
    """Serve the portal; raises SettingsError or NotStarted."""
    from deploy.serve.portal import portal

    check_portal(settings)
    listener = listen(port, host=host)
    start_logging(service="portal")
    start_tracing(ratio=settings.trace_ratio)
    serve(
        partial(portal, settings, clinic),
        listener=listener,
        ready=lambda: ready(listener.getsockname()[1]),
        trusted_proxies=settings.trusted_proxies,
    )


def run_gateway(settings: Settings, *, port: int, ready: Ready, host: str = HOST) -> None:
    """Serve the gateway; raises SettingsError or NotStarted."""
    from deploy.gateway import gateway

    check_gateway(settings)
    listener = listen(port, host=host)
    start_logging(service="gateway")
    serve(
        partial(gateway, settings),
        listener=listener,
        ready=lambda: ready(listener.getsockname()[1]),
        trusted_proxies=settings.trusted_proxies,
    )


def _part(role: Role) -> Callable[..., AbstractAsyncContextManager[Served]]:
    """Import only what this role needs."""
    if role == "api":
        from deploy.serve.api import api

        return api
    from deploy.serve.worker import worker

    return worker
