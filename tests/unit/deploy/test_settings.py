"""A wrong setting is told in one line that names it."""

from pathlib import Path

import pytest

from deploy.settings import SettingsError, load_settings


def test_nothing_set_is_the_embedded_shape() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert (settings.data, settings.url, settings.smtp_url) == (Path(".lumbar"), None, None)


def test_an_address_loses_its_last_slash() -> None:
    assert load_settings({"LUMBAR_URL": "https://clinic.example/"}).url == "https://clinic.example"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("LUMBAR_DATE", "/srv", "there is no such setting; allowed are LUMBAR_DATA,"),
        ("LUMBAR_URL", "clinic.example", "must be an address that begins with http"),
        ("LUMBAR_SMTP_URL", "localhost:25", "must be an address that begins with smtp"),
        ("LUMBAR_OTLP_ENDPOINT", "collector:4318", "must be an address that begins with http"),
        ("LUMBAR_TRACE_RATIO", "2", "should be less than or equal to 1"),
        ("LUMBAR_TRACE_RATIO", "often", "should be a valid number"),
        ("LUMBAR_KAFKA_BOOTSTRAP", "broker", "must be host:port"),
        ("LUMBAR_REFERRAL_DATABASE_URL", "postgresql://db/referral", "must be an address like postgresql://"),
        ("LUMBAR_FAILPOINT", "nowhere:kill", "there is no point 'nowhere'; allowed are"),
        ("LUMBAR_FAILPOINT", "before_send:dance", "must be before_send:kill"),
        ("LUMBAR_TRUSTED_PROXIES", "gateway", "must be IP addresses or networks"),
        ("LUMBAR_TRUSTED_PROXIES", "*", "must be IP addresses or networks"),
        ("LUMBAR_TRUSTED_PROXIES", "10.0.0.1,", "must be IP addresses or networks"),
        ("LUMBAR_TRUSTED_PROXIES", "10.0.0.1/8", "must be IP addresses or networks"),
        ("LUMBAR_TRUSTED_PROXIES", "0.0.0.0/0", "must be IP addresses or networks"),
        ("LUMBAR_ISSUER", "login.example", "must be an address that begins with http"),
    ],
)
def test_a_wrong_setting_is_named(name: str, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({name: text})
    told = str(refused.value)
    assert told.startswith(f"{name}: ")
    assert says in told
    assert "\n" not in told


def test_proxies_are_addresses_and_networks_and_nobody_unless_said() -> None:
    assert load_settings({}).trusted_proxies is None
    settings = load_settings({"LUMBAR_TRUSTED_PROXIES": "10.0.0.1, 192.0.2.0/24, 2001:db8::1"})
    assert settings.trusted_proxies == "10.0.0.1,192.0.2.0/24,2001:db8::1"


def test_variables_of_the_tests_are_no_settings() -> None:
    load_settings(
        {"LUMBAR_TEST_RUN": "1:/somewhere", "LUMBAR_SEED": "50", "LUMBAR_FAILPOINT": "relayed:kill@2"}
    )
