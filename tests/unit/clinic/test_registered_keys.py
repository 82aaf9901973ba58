"""Keys that clients register in clinic.yaml: what is wrong with one stops the start with one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.auth.keys import SigningKey
from shared.clinic import Clinic, ClinicFileError, load_clinic

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"
CLIENT = "  - id: second-practice\n    party: referrer\n"
KEY = SigningKey.of(ec.generate_private_key(ec.SECP384R1()))
OF_RSA = SigningKey.of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
PRIVATE = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()), as_dict=True)
SHORT = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
OF_ANOTHER_CURVE = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key(), as_dict=True)


def loaded(folder: Path, **members: Any) -> Clinic:
    """Load the example clinic, whose second practice has these members too."""
    text = EXAMPLE.read_text(encoding="utf-8")
    lines = "".join(f"    {name}: {json.dumps(value)}\n" for name, value in members.items())
    (folder / "clinic.yaml").write_text(text.replace(CLIENT, CLIENT + lines), encoding="utf-8")
    return load_clinic(folder / "clinic.yaml")


@pytest.mark.parametrize(
    "members",
    [
        {"jwks": {"keys": [dict(KEY.jwk), dict(OF_RSA.jwk)]}},
        {"jwks": {"keys": [{name: value for name, value in KEY.jwk.items() if name != "alg"}]}},
        {"jwks_url": "https://keys.practice.example:8443/jwks.json?tenant=1"},
    ],
)
def test_a_client_with_keys_of_its_own_has_none_made(tmp_path: Path, members: dict[str, Any]) -> None:
    clinic = loaded(tmp_path, **members)
    assert "second-practice" not in clinic.clients_without_keys
    assert "family-practice" in clinic.clients_without_keys


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"jwks_url": "http://keys.example/"}, "jwks_url: must be https://"),
        ({"jwks_url": "https://u:p@keys.example/"}, "jwks_url: must be https://"),
        ({"jwks_url": "https:///keys"}, "jwks_url: must be https://"),
        ({"jwks_url": "https://keys.example:99999/"}, "jwks_url: is no address"),
        (
            {"jwks_url": "https://keys.example/", "jwks": {"keys": [dict(KEY.jwk)]}},
            "jwks_url: stands beside jwks",
        ),
        ({"jwks": {"keys": []}}, "jwks.keys: "),
        ({"jwks": {"key": []}}, "jwks.key: is not known here; allowed are keys"),
        ({"jwks": {"keys": [{"kty": "EC"}]}}, "jwks.keys[0]: a key needs a kid"),
        ({"jwks": {"keys": [dict(KEY.jwk), {"kid": "x", "kty": "oct"}]}}, "jwks.keys[1]: allowed are RSA"),
        ({"jwks": {"keys": [dict(KEY.jwk) | {"use": "enc"}]}}, "jwks.keys[0]: allowed are RSA"),
        ({"jwks": {"keys": [dict(KEY.jwk) | {"alg": "ES256"}]}}, "jwks.keys[0]: allowed are RSA"),
        ({"jwks": {"keys": [PRIVATE | {"kid": "x"}]}}, "jwks.keys[0]: this is a private key"),
        ({"jwks": {"keys": [SHORT | {"kid": "x"}]}}, "jwks.keys[0]: an RSA key has 2048 bits"),
        ({"jwks": {"keys": [OF_ANOTHER_CURVE | {"kid": "x"}]}}, "jwks.keys[0]: "),
        ({"jwks": {"keys": [{"kid": "x", "kty": "EC", "crv": "P-384"}]}}, "jwks.keys[0]: its members make"),
        ({"jwks": {"keys": [dict(KEY.jwk)] * 2}}, "jwks.keys[1].kid: "),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, members: dict[str, Any], says: str) -> None:
    with pytest.raises(ClinicFileError) as wrong:
        loaded(tmp_path, **members)
    assert f": clients[1].{says}" in str(wrong.value)
    assert "\n" not in str(wrong.value)
