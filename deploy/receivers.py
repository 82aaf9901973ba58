"""The ways to systems outside that clinic.yaml names: the keys of clients, and webhook receivers, whose
secrets lie in the data folder.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.folders import webhooks_folder
from shared.clinic import Clinic

if TYPE_CHECKING:  # it brings an HTTP client, which a clinic without receivers does not need
    from shared.outbound import Outbound


def way_to_receivers(clinic: Clinic, *, data: Path, make_secrets: bool) -> "Outbound | None":
    """Give the way, None where there is no receiver; raises SecretUnusable.

    `make_secrets` makes those that are missing. Several replicas share the secrets, so there they are made
    once and put into each one's data folder.
    """
    if not clinic.webhooks:
        return None
    from shared.outbound import Outbound

    folder = make_receivers_secrets(clinic, data=data) if make_secrets else webhooks_folder(data)
    _check(folder, names=_names(clinic))
    return Outbound(secrets=folder)


def way_to_registered_keys(clinic: Clinic, *, data: Path) -> "Outbound | None":
    """Give the way to the keys that clients keep at a `jwks_url`, None where none does."""
    if all(client.jwks_url is None for client in clinic.clients):
        return None
    from shared.outbound import Outbound

    return Outbound(secrets=webhooks_folder(data))


def make_receivers_secrets(clinic: Clinic, *, data: Path) -> Path:
    """Make a secret for each receiver that has none, and give their folder; raises SecretUnusable."""
    from shared.outbound import make_missing_secrets

    folder = webhooks_folder(data)
    make_missing_secrets(folder, names=_names(clinic))
    _check(folder, names=_names(clinic))
    return folder


def _names(clinic: Clinic) -> Sequence[str]:
    return [receiver.id for receiver in clinic.webhooks]


def _check(folder: Path, *, names: Sequence[str]) -> None:
    from shared.outbound import read_secrets

    for name in names:
        read_secrets(folder, name)
