"""The way to the webhook receivers of clinic.yaml: their secrets lie in the data folder."""

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
    from shared.outbound import Outbound, make_missing_secrets, read_secrets

    folder, names = webhooks_folder(data), [receiver.id for receiver in clinic.webhooks]
    if make_secrets:
        make_missing_secrets(folder, names=names)
    for name in names:
        read_secrets(folder, name)
    return Outbound(secrets=folder)
