"""Access tokens: every way in which one is wrong is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

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


WRONG_TOKENS = [
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
