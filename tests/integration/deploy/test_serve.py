"""`lumbar serve` and its surroundings: whatever is wrong at the start is one line, and exit status 2."""

import socket
from pathlib import Path

import httpx
import pytest

from deploy.events import make_transport
from deploy.serve.keys_of_issuer import jwks_url_of
from deploy.settings import SettingsError, load_settings
from tests.support.distributed import GATEWAY, KAFKA
from tests.support.kafka import kafka_of_run
from tests.support.process import free_port, lumbar


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused("serve", "gateway", "--port", str(taken.getsockname()[1]), **GATEWAY)
    assert told.startswith("lumbar: --port ")


def test_a_wrong_clinic_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "clinic.yaml").write_text("clinic: 5\n")
    told = refused("serve", "referral", "--role", "api", **KAFKA, LUMBAR_CLINIC=str(tmp_path / "clinic.yaml"))
    assert told.startswith(f"lumbar: {tmp_path / 'clinic.yaml'}")


def test_a_database_that_does_not_answer_is_one_line() -> None:
    url = f"postgresql://lumbar_referral:hush@127.0.0.1:{free_port()}/referral"
    settings = KAFKA | {"LUMBAR_REFERRAL_DATABASE_URL": url}
    told = refused("serve", "referral", "--role", "worker", "--port", "0", **settings)
    assert told.startswith("lumbar: LUMBAR_REFERRAL_DATABASE_URL: no database answers at 127.0.0.1:")
    assert "hush" not in told


def test_a_part_that_is_not_there_and_a_role_that_does_not_fit_are_one_line() -> None:
    told = refused("serve", "nothing")
    assert "allowed are referral, scheduling, careteam, notifications, issuer, portal, gateway" in told
    assert refused("serve", "referral").startswith("lumbar: --role: referral is served with --role api or")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(404), "answers 404"),
        (httpx.Response(200, text="hello"), "answers no JSON"),
        (httpx.Response(200, json=[1]), "answers something else"),
        (httpx.Response(200, json={"jwks_uri": 5}), "does not tell where its keys are"),
        (None, "does not answer (ConnectError)"),
    ],
)
async def test_an_issuer_that_tells_no_keys_is_one_line(answer: httpx.Response | None, says: str) -> None:
    def told(request: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("no", request=request)
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(told)) as http:
        with pytest.raises(SettingsError) as failed:
            await jwks_url_of(load_settings(KAFKA), http=http)
    assert str(failed.value).startswith("LUMBAR_ISSUER: https://id.example")
    assert says in str(failed.value)


@pytest.mark.parametrize("demo", [True, False])
async def test_the_demo_keys_of_an_embedded_clinic_are_not_taken(demo: bool) -> None:
    key = {"kid": "a", "alg": "RS384"} | ({"lumbar_demo": True} if demo else {})

    def told(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/jwks":
            return httpx.Response(200, json={"keys": [key]})
        return httpx.Response(200, json={"jwks_uri": "https://id.example/auth/jwks"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(told)) as http:
        if demo:
            with pytest.raises(SettingsError, match=r"^LUMBAR_ISSUER: .* demo keys of an embedded clinic"):
                await jwks_url_of(load_settings(KAFKA), http=http)
        else:
            assert await jwks_url_of(load_settings(KAFKA), http=http) == "https://id.example/auth/jwks"


async def test_a_broker_that_does_not_answer_is_one_line() -> None:
    settings = KAFKA | {"LUMBAR_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}"}
    assert (await refused_transport(settings)).startswith("LUMBAR_KAFKA_BOOTSTRAP: ")


async def test_topics_that_were_not_made_are_one_line() -> None:
    kafka = kafka_of_run()
    settings = KAFKA | {"LUMBAR_KAFKA_BOOTSTRAP": kafka.bootstrap, "LUMBAR_KAFKA_PREFIX": kafka.prefix}
    told = await refused_transport(settings)
    assert told.startswith("LUMBAR_KAFKA_BOOTSTRAP: ")
    assert f"{kafka.prefix}lumbar." in told


async def refused_transport(settings: dict[str, str]) -> str:
    """Give the one line with which the events' transport is refused."""
    with pytest.raises(SettingsError) as told:
        await make_transport(load_settings(settings), {})
    assert "\n" not in str(told.value)
    return str(told.value)


def refused(*command: str, **settings: str) -> str:
    """Give the one line with which a command is refused."""
    ran = lumbar(*command, **settings)
    lines = ran.stderr.strip().splitlines()
    assert (ran.returncode, ran.stdout, len(lines)) == (2, "", 1), ran.stderr
    return lines[0]
