"""Which settings a process of the distributed shape needs: what is missing or does not fit is one line."""

from pathlib import Path

import pytest

from deploy.settings import SettingsError, load_settings
from deploy.shape import (
    Role,
    check_demo_people,
    check_embedded,
    check_gateway,
    check_issuer,
    check_service,
    has_demo_people,
)
from tests.support.context import example_clinic
from tests.support.distributed import GATEWAY, ISSUER, KAFKA, POSTGRES


class TestDemoPeople:
    @pytest.mark.parametrize(
        ("settings", "host"),
        [
            ({}, "127.0.0.1"),
            ({}, "::1"),
            ({}, "localhost"),
            ({"LUMBAR_URL": "http://127.0.0.1:8080"}, "127.0.0.1"),
            ({"LUMBAR_URL": "https://clinic.example", "LUMBAR_DEMO_PEOPLE": "no"}, "0.0.0.0"),
        ],
    )
    def test_are_taken_at_this_machine_or_where_they_are_turned_off(
        self, settings: dict[str, str], host: str
    ) -> None:
        check_demo_people(load_settings(settings), example_clinic(), host=host)

    @pytest.mark.parametrize(
        ("settings", "host", "says"),
        [
            ({}, "0.0.0.0", "it listens at 0.0.0.0"),
            ({}, "::", "it listens at ::"),
            ({"LUMBAR_URL": "http://127.0.0.1:8080"}, "192.168.1.5", "it listens at 192.168.1.5"),
            ({"LUMBAR_URL": "https://clinic.example"}, "127.0.0.1", "LUMBAR_URL names clinic.example"),
            ({"LUMBAR_DEMO_PEOPLE": "yes"}, "clinic.example", "it listens at clinic.example"),
        ],
    )
    def test_are_refused_where_others_can_reach_them(
        self, settings: dict[str, str], host: str, says: str
    ) -> None:
        with pytest.raises(SettingsError) as refused:
            check_demo_people(load_settings(settings), example_clinic(), host=host)
        assert one_line(refused).startswith("LUMBAR_DEMO_PEOPLE: ")
        assert says in one_line(refused)

    def test_are_nobodys_concern_in_a_clinic_without_them(self) -> None:
        clinic = example_clinic().model_copy(update={"demo_people": False})
        check_demo_people(load_settings({}), clinic, host="0.0.0.0")
        assert not has_demo_people(load_settings({"LUMBAR_DEMO_PEOPLE": "yes"}), clinic)


def refusal_of_service(settings: dict[str, str], *, role: Role = "worker") -> str:
    with pytest.raises(SettingsError) as refused:
        check_service(load_settings(settings), service="referral", role=role)
    return one_line(refused)


def one_line(refused: pytest.ExceptionInfo[SettingsError]) -> str:
    """Give the text, which must be one line without a password."""
    text = str(refused.value)
    assert len(text.splitlines()) == 1
    assert "hush" not in text
    return text


@pytest.mark.parametrize("settings", [KAFKA, POSTGRES])
@pytest.mark.parametrize("role", ["api", "worker"])
def test_settings_that_fit_are_taken(settings: dict[str, str], role: Role) -> None:
    check_service(load_settings(settings), service="referral", role=role)


@pytest.mark.parametrize(
    "missing",
    ["KAFKA_BOOTSTRAP", "REFERRAL_DATABASE_URL", "URL", "ISSUER", "REPLICA"],
)
def test_what_a_worker_on_kafka_lacks_is_named(missing: str) -> None:
    settings = {name: text for name, text in KAFKA.items() if name != f"LUMBAR_{missing}"}
    assert refusal_of_service(settings).startswith(f"LUMBAR_{missing}: is missing; ")


def test_databases_without_kafka_are_told_how_that_is_meant() -> None:
    settings = {name: text for name, text in KAFKA.items() if name != "LUMBAR_KAFKA_BOOTSTRAP"}
    assert "LUMBAR_TRANSPORT=postgres" in refusal_of_service(settings)


def test_an_api_needs_no_number_and_no_other_database() -> None:
    settings = {name: text for name, text in POSTGRES.items() if "SCHEDULING" not in name}
    check_service(load_settings(settings), service="referral", role="api")
    assert refusal_of_service(settings).startswith("LUMBAR_SCHEDULING_DATABASE_URL: is missing; ")


@pytest.mark.parametrize(
    ("added", "named"),
    [
        ({"LUMBAR_TRANSPORT": "postgres"}, "LUMBAR_KAFKA_BOOTSTRAP: does not fit LUMBAR_TRANSPORT=postgres"),
        ({"LUMBAR_KAFKA_USERNAME": "ann"}, "LUMBAR_KAFKA_PASSWORD: is missing"),
        ({"LUMBAR_KAFKA_PASSWORD": "hush"}, "LUMBAR_KAFKA_USERNAME: is missing"),
        ({"LUMBAR_KAFKA_CA": "ca.pem"}, "LUMBAR_KAFKA_CA: needs LUMBAR_KAFKA_TLS=yes"),
        ({"LUMBAR_KAFKA_CA": "no.pem", "LUMBAR_KAFKA_TLS": "yes"}, "LUMBAR_KAFKA_CA: there is no file"),
        (
            {"LUMBAR_REFERRAL_DATABASE_URL": "postgresql://lumbar_referral@db/referral"},
            "LUMBAR_REFERRAL_DATABASE_URL: names no password",
        ),
    ],
)
def test_what_does_not_fit_is_named(added: dict[str, str], named: str) -> None:
    assert refusal_of_service(KAFKA | added).startswith(named)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("KAFKA_BOOTSTRAP", "kafka"),
        ("KAFKA_BOOTSTRAP", "kafka:99999"),
        ("KAFKA_TLS", "maybe"),
        ("KAFKA_PREFIX", "a b"),
        ("TRANSPORT", "pigeons"),
        ("REPLICA", "-1"),
        ("ISSUER", "issuer:8080"),
        ("REFERRAL_ADDRESSES", "http://one:8080,two"),
        ("REFERRAL_DATABASE_URL", "mysql://ann:hush@db/referral"),
        ("REFERRAL_DATABASE_URL", "postgresql://ann:hush@db"),
        ("REFERRAL_DATABASE_URL", "postgresql://ann:hush@db:port/referral"),
        ("KAFKA_SERVER", "kafka:9092"),
    ],
)
def test_a_wrong_value_is_named_and_a_secret_never_repeated(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(KAFKA | {f"LUMBAR_{name}": text})
    assert one_line(refused).startswith(f"LUMBAR_{name}: ")


def test_settings_show_no_secret() -> None:
    shown = repr(load_settings(KAFKA | {"LUMBAR_KAFKA_USERNAME": "ann", "LUMBAR_KAFKA_PASSWORD": "hush"}))
    assert "hush" not in shown


@pytest.mark.parametrize("name", [name for name in KAFKA if name != "LUMBAR_URL"])
def test_the_embedded_shape_refuses_what_it_would_not_heed(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_embedded(load_settings({name: KAFKA[name]}), command="up")
    assert one_line(refused).startswith(f"{name}: belongs to the distributed shape")


def test_the_issuer_needs_its_database_and_address_and_no_demo_keys(tmp_path: Path) -> None:
    for missing in ISSUER:
        with pytest.raises(SettingsError, match=f"^{missing}: is missing; "):
            check_issuer(load_settings({name: text for name, text in ISSUER.items() if name != missing}))
    with pytest.raises(SettingsError, match=r"^LUMBAR_ISSUER: must be the same as LUMBAR_URL"):
        check_issuer(load_settings(ISSUER | {"LUMBAR_ISSUER": "https://elsewhere.example"}))
    (tmp_path / "postgres").mkdir()
    with pytest.raises(SettingsError, match=r"^LUMBAR_DATA: .* are demo keys"):
        check_issuer(load_settings(ISSUER | {"LUMBAR_DATA": str(tmp_path)}))


@pytest.mark.parametrize("missing", list(GATEWAY))
def test_the_gateway_needs_the_addresses_of_every_part(missing: str) -> None:
    check_gateway(load_settings(GATEWAY))
    with pytest.raises(SettingsError, match=f"^{missing}: is missing; "):
        check_gateway(load_settings({name: text for name, text in GATEWAY.items() if name != missing}))
