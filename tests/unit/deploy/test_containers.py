"""The image and the compose file, read without an engine: all parts, least rights, no secret."""

import base64
import re
import stat
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy import compose_secrets
from deploy.cluster.settings import all_names
from deploy.folders import webhooks_folder
from deploy.settings import load_settings
from deploy.shape import check_gateway, check_issuer, check_portal, check_service

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
OTHERS = {"postgres", "kafka"}
OURS = {name: service for name, service in SERVICES.items() if name not in OTHERS}
VARIABLE = re.compile(r"\$\{(\w+):\?\}")


def settings_of(name: str) -> dict[str, str]:
    """Give a container's settings as its process sees them."""
    secret = base64.urlsafe_b64encode(bytes(32)).decode()
    return {key: VARIABLE.sub(secret, str(text)) for key, text in OURS[name]["environment"].items()}


def test_every_process_of_the_shape_is_there_twice() -> None:
    assert set(OURS) == {*all_names(2), "migrate", "secrets"}


@pytest.mark.parametrize("name", all_names(2))
def test_each_process_is_served_with_settings_that_fit(name: str) -> None:
    command = OURS[name]["command"]
    assert command[:2] == ["serve", name.split("-")[0]]
    settings = load_settings(settings_of(name))
    if name == "gateway":
        check_gateway(settings)
        told = settings.model_dump(exclude_none=True)
        named = {text for part in told if part.endswith("_addresses") for text in told[part].split(",")}
        answering = [one for one in OURS if "-api-" in one or "-web-" in one or one == "issuer"]
        assert named == {f"http://{one}:8080" for one in answering}
    elif name == "issuer":
        check_issuer(settings)
    elif name.startswith("portal-"):
        check_portal(settings)
    else:
        service, role, replica = name.split("-")
        assert command[2:4] == ["--role", role]
        assert settings.replica == int(replica)
        check_service(settings, service=service, role=role)  # type: ignore[arg-type]


def test_the_gateway_is_where_the_others_believe_who_called() -> None:
    network = yaml.safe_load(COMPOSE)["networks"]["default"]["ipam"]["config"][0]
    gateway = ip_address(OURS["gateway"]["networks"]["default"]["ipv4_address"])
    assert gateway in ip_network(network["subnet"])
    assert gateway not in ip_network(network["ip_range"])
    for name in all_names(2):
        trusted = load_settings(settings_of(name)).trusted_proxies
        assert trusted == (None if name == "gateway" else str(gateway)), name


def test_receivers_secrets_are_made_once_and_lie_with_the_workers_of_notifications_alone() -> None:
    made = OURS["secrets"]
    assert made["command"] == ["secrets"]
    writes = f"webhooks:{webhooks_folder(Path(made['environment']['LUMBAR_DATA']))}"
    assert writes in made["volumes"]
    for name in all_names(2):
        has = [volume for volume in OURS[name]["volumes"] if volume.startswith("webhooks:")]
        reads = name.startswith("notifications-worker-")
        assert has == ([f"{writes}:ro"] if reads else []), name
        if reads:
            settings = load_settings(settings_of(name))
            assert writes == f"webhooks:{webhooks_folder(settings.data)}"
            assert OURS[name]["depends_on"]["secrets"] == {"condition": "service_completed_successfully"}
    assert str(webhooks_folder(Path("/data"))) in DOCKERFILE


def test_all_that_ask_the_clinics_description_ask_the_same() -> None:
    asked = {name for name, one in OURS.items() if "LUMBAR_CLINIC" in one["environment"]}
    assert asked == set(OURS) - {"gateway", "migrate"}
    for name in asked:
        [mounted] = [one for one in OURS[name]["volumes"] if "clinic" in one]
        assert mounted.endswith(f":{OURS[name]['environment']['LUMBAR_CLINIC']}:ro")


@pytest.mark.parametrize("name", list(OURS))
def test_each_container_has_the_least_rights(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert not service["user"].startswith(("0", "root"))
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_only_the_gateway_is_reached_from_outside_and_only_from_this_machine() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"gateway"}
    assert OURS["gateway"]["ports"] == ["127.0.0.1:8080:8080"]


def test_a_process_holds_its_own_secret_alone_and_only_migrations_the_owners() -> None:
    for name in all_names(2):
        held = set(VARIABLE.findall(str(OURS[name]["environment"])))
        own = "identity" if name == "issuer" else name.split("-")[0]
        key = {"LUMBAR_PORTAL_KEY"} if own == "portal" else set()
        assert held == (set() if name == "gateway" else {f"LUMBAR_{own.upper()}_PASSWORD", *key})
    assert set(VARIABLE.findall(str(OURS["migrate"]["environment"]))) == {"LUMBAR_OWNER_PASSWORD"}


def test_no_secret_stands_in_the_files_and_every_one_is_made(tmp_path: Path) -> None:
    assert set(VARIABLE.findall(COMPOSE)) == set(compose_secrets.names())
    passwords = re.findall(r"postgresql://\w+:([^@]+)@|PASSWORD: (\S+)", COMPOSE)
    assert all(VARIABLE.fullmatch(one or other) for one, other in passwords)
    file = tmp_path / ".env"
    compose_secrets.main(file)
    made = file.read_text()
    compose_secrets.main(file)
    assert file.read_text() == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [line.partition("=")[0] for line in made.splitlines()] == compose_secrets.names()
    assert "deploy/.env" in (ROOT / ".gitignore").read_text()


def test_the_roles_of_the_database_are_those_that_the_addresses_name() -> None:
    made = set(re.findall(r"CREATE ROLE (\w+)", (ROOT / "deploy" / "postgres" / "roles.sql").read_text()))
    assert made == set(re.findall(r"postgresql://(\w+):", COMPOSE))


def test_the_image_is_built_from_hashed_packages_and_runs_as_nobody_of_importance() -> None:
    build, final = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[1:]
    assert "--require-hashes -r" in build
    assert "--no-deps" in build
    assert re.search(r"^USER 10001:10001$", final, re.M)
    for shell_form in re.findall(r"^(?:ENTRYPOINT|CMD|HEALTHCHECK).*", final, re.M):
        assert "[" in shell_form or shell_form.endswith("\\")
    assert "pip install" not in final


def test_every_process_is_checked_by_the_file_that_needs_no_package() -> None:
    final = re.split(r"^FROM ", DOCKERFILE, flags=re.M)[2]
    [copied] = re.findall(r"^COPY deploy/healthcheck.py (\S+)$", final, re.M)
    assert f'CMD ["python", "-I", "-S", "{copied}"]' in final
    assert {name for name, one in OURS.items() if "healthcheck" in one} == {"migrate", "secrets"}


def test_no_image_floats() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) + [SERVICES[name]["image"] for name in OTHERS]
    assert all(re.search(r":\d", image) for image in images)
