"""The way to the receivers of clinic.yaml: made with their secrets, or refused with one line."""

from pathlib import Path

import pytest

from deploy.cluster.settings import Plan
from deploy.folders import webhooks_folder
from deploy.receivers import make_receivers_secrets, way_to_receivers
from shared.clinic import Clinic, Webhook, load_clinic
from shared.outbound import FORBIDDEN, SecretUnusable, read_secrets

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"


@pytest.fixture(scope="module")
def clinic() -> Clinic:
    receiver = Webhook(id="claims", url="https://hooks.example/", payer="motor-insurer")
    return load_clinic(EXAMPLE).model_copy(update={"webhooks": (receiver,)})


def test_without_receivers_there_is_none_and_no_folder(tmp_path: Path) -> None:
    assert way_to_receivers(load_clinic(EXAMPLE), data=tmp_path, make_secrets=True) is None
    assert not webhooks_folder(tmp_path).exists()


def test_the_embedded_shape_makes_missing_secrets_and_keeps_the_forbidden_networks(
    clinic: Clinic, tmp_path: Path
) -> None:
    way = way_to_receivers(clinic, data=tmp_path, make_secrets=True)
    assert way is not None
    assert way.forbidden is FORBIDDEN
    [secret] = read_secrets(way.secrets, "claims")
    again = way_to_receivers(clinic, data=tmp_path, make_secrets=True)
    assert again is not None
    assert read_secrets(again.secrets, "claims") == (secret,)


def test_replicas_make_none_and_say_which_file_is_missing(clinic: Clinic, tmp_path: Path) -> None:
    with pytest.raises(SecretUnusable, match=r"webhooks/claims\.secret"):
        way_to_receivers(clinic, data=tmp_path, make_secrets=False)
    way_to_receivers(clinic, data=tmp_path, make_secrets=True)
    assert way_to_receivers(clinic, data=tmp_path, make_secrets=False) is not None


def test_what_a_cluster_prepares_is_what_its_workers_of_notifications_find(
    clinic: Clinic, tmp_path: Path
) -> None:
    plan = Plan(folder=tmp_path, transport="kafka", replicas=2, ports={"gateway": 1, "issuer": 2})
    make_receivers_secrets(clinic, data=Path(plan.owner()["LUMBAR_DATA"]))
    for replica in range(2):
        data = Path(plan.of(f"notifications-worker-{replica}")["LUMBAR_DATA"])
        assert way_to_receivers(clinic, data=data, make_secrets=False) is not None
