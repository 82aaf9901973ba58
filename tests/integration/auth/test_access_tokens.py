"""Access tokens: every way in which one is wrong is refused."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.auth.scopes import Scopes
from shared.clock import machine_now
from shared.errors import Unauthenticated
from tests.support.issuer import NOBODY, Identity


def _foreign_key(identity: Identity) -> str:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    claims = jwt.decode(identity.signed(), options={"verify_signature": False})
    return jwt.encode(claims, private, algorithm="RS384", headers={"kid": identity.keys.issuer.kid})


def _unknown_kid(identity: Identity) -> str:
    claims = jwt.decode(identity.signed(), options={"verify_signature": False})
    return jwt.encode(claims, NOBODY.private, algorithm="ES384", headers={"kid": NOBODY.kid})


def _client_key_as_issuer(identity: Identity) -> str:
    key = identity.key_of("family-practice")
    claims = jwt.decode(identity.signed(), options={"verify_signature": False})
    return jwt.encode(claims, key.private, algorithm="ES384", headers={"kid": key.kid})


def _with_alg(algorithm: str, key: str) -> Callable[[Identity], str]:
    def made(identity: Identity) -> str:
        claims = jwt.decode(identity.signed(), options={"verify_signature": False})
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": identity.keys.issuer.kid})

    return made


def _with_raw(name: str, value: str) -> Callable[[Identity], str]:
    def made(identity: Identity) -> str:
        claims = jwt.decode(identity.signed(), options={"verify_signature": False}) | {name: 0}
        payload = json.dumps(claims).replace(f'"{name}": 0', f'"{name}": {value}').encode()
        key = identity.keys.issuer
        return jwt.api_jws.encode(payload, key.private, algorithm="RS384", headers={"kid": key.kid})

    return made


def _with_header(header: str) -> Callable[[Identity], str]:
    made = urlsafe_b64encode(header.encode()).decode().rstrip("=")
    return lambda identity: f"{made}.{identity.signed().partition('.')[2]}"


WRONG_TOKENS = [
    *(
        pytest.param(_with_raw(name, value), id=f"{name} {value[:12]}")
        for name in ("exp", "iat", "nbf")
        for value in ("1e400", "1e30", "NaN", "Infinity", '"soon"', "[1]", "{}", "[" * 2000 + "]" * 2000)
    ),
    *(
        pytest.param(_with_raw(name, value), id=f"{name} {value}")
        for name in ("iss", "sub", "aud", "jti", "client_id", "scope")
        for value in ("7", "{}", "[7]")
    ),
    pytest.param(_with_header("[" * 3000 + "]" * 3000), id="a header nested without end"),
    pytest.param(_with_header('{"alg": ["RS384"]}'), id="an array for the algorithm"),
    pytest.param(_with_header('{"alg": "RS384", "kid": []}'), id="an array for the key's id"),
    pytest.param(_with_alg("none", ""), id="alg none"),
    pytest.param(_with_alg("HS256", "x" * 32), id="alg HS256"),
    pytest.param(_foreign_key, id="another key under our id"),
    pytest.param(_unknown_kid, id="unknown kid"),
    pytest.param(_client_key_as_issuer, id="a client signs for itself"),
    pytest.param(lambda at: at.signed(aud="http://elsewhere.test"), id="other audience"),
    pytest.param(lambda at: at.signed(iss="http://elsewhere.test"), id="other issuer"),
    pytest.param(lambda at: at.signed(exp=machine_now() - timedelta(minutes=1)), id="expired"),
    pytest.param(lambda at: at.signed(exp=None), id="no expiry"),
    pytest.param(lambda at: at.signed(client_id="stranger"), id="unregistered client"),
    pytest.param(lambda at: at.signed(client_id=7), id="client is no text"),
    pytest.param(lambda at: at.signed(scope="system/Task.sr"), id="scope out of order"),
    pytest.param(lambda _: "gibberish", id="no JWT"),
    pytest.param(lambda _: "x" * 9000, id="far too long"),
]


class TestVerifier:
    @pytest.mark.parametrize("wrong", WRONG_TOKENS)
    async def test_refuses_a_wrong_token_without_repeating_it(
        self, identity: Identity, wrong: Callable[[Identity], str]
    ) -> None:
        token = wrong(identity)
        with pytest.raises(Unauthenticated) as refused:
            await identity.verifier.principal(token)
        assert token not in str(refused.value)

    async def test_takes_the_same_claims_when_nothing_is_wrong(self, identity: Identity) -> None:
        assert (await identity.verifier.principal(identity.signed())).client == "family-practice"

    @pytest.mark.parametrize(
        ("signed", "kept"),
        [
            ("system/Task.rs system/Claim.rs", {("Task", "r"), ("Task", "s")}),
            ("system/*.cruds", None),
            ("system/ServiceRequest.cruds", {("ServiceRequest", act) for act in "crus"}),
            ("user/Task.rs", set()),
            ("system/AuditEvent.rs", set()),
        ],
    )
    async def test_bounds_scopes_by_what_the_client_is_registered_for(
        self, identity: Identity, signed: str, kept: set[tuple[str, str]] | None
    ) -> None:
        scopes = (await identity.verifier.principal(identity.signed(scope=signed))).scopes
        registered = Scopes.parse(identity.clinic.client("family-practice").scopes)
        assert scopes.granted == (registered.granted if kept is None else kept)
        assert not scopes.allow("Claim", "r")

    async def test_forgets_a_token_when_it_expires(
        self, identity: Identity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = identity.signed(exp=machine_now() - timedelta(seconds=28))
        await identity.verifier.principal(token)
        later = machine_now() + timedelta(seconds=5)
        monkeypatch.setattr("shared.auth.verifier.machine_now", lambda: later)
        monkeypatch.setattr("jwt.api_jwt.datetime", _Later)
        with pytest.raises(Unauthenticated):
            await identity.verifier.principal(token)


class _Later:
    """The clock of the JWT library, five seconds on."""

    @staticmethod
    def now(tz: Any = None) -> Any:
        return machine_now() + timedelta(seconds=5)
