"""`lumbar serve`: which part, in which role; imports only what that part needs."""

import sys
from importlib.resources import files
from pathlib import Path
from typing import cast

from deploy.serve.http import NotStarted
from deploy.serve.run import run_gateway, run_issuer, run_portal, run_service
from deploy.services import PORTAL, SERVICES
from deploy.settings import Settings, load_settings
from deploy.shape import GATEWAY, ISSUER, Role
from shared.clinic import Clinic, load_clinic

PARTS = (*SERVICES, ISSUER, PORTAL, GATEWAY)


def serve_part(part: str, *, role: str | None, port: int, host: str) -> None:
    """Serve a part until told to stop; raises OneLine where it cannot start."""
    if part not in PARTS:
        raise NotStarted(f"there is no {part!r} to serve; allowed are {', '.join(PARTS)}")
    if part in SERVICES and role not in ("api", "worker"):
        raise NotStarted(f"--role: {part} is served with --role api or --role worker")
    if part not in SERVICES and role is not None:
        raise NotStarted(f"--role: {part} has none")
    settings = load_settings()
    name = part if role is None else f"{part} {role}"

    def ready(at: int) -> None:
        sys.stdout.write(f"Lumbar's {name} is up on port {at}\n")
        sys.stdout.flush()

    if part == GATEWAY:
        run_gateway(settings, port=port, host=host, ready=ready)
    elif part == ISSUER:
        run_issuer(settings, clinic_of(settings), port=port, host=host, ready=ready)
    elif part == PORTAL:
        run_portal(settings, clinic_of(settings), port=port, host=host, ready=ready)
    else:
        run_service(
            settings,
            clinic_of(settings),
            service=part,
            role=cast(Role, role),
            port=port,
            host=host,
            ready=ready,
        )


def clinic_of(settings: Settings) -> Clinic:
    """Read the description of the clinic; raises ClinicFileError."""
    return load_clinic(settings.clinic or Path(str(files("examples") / "clinic.yaml")))
