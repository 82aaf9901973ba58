"""Assertions: every way in which one is wrong is refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from shared.auth.assertion import client_assertion
from shared.clock import machine_now
from tests.support.issuer import BASE, NOBODY, TOKEN_URL, Identity


def _claims(**changed: Any) -> dict[str, Any]:
    now = machine_now()
    claims = {
        "iss": "family-practice",
        "sub": "family-practice",
        "aud": TOKEN_URL,
        "exp": now + timedelta(minutes=4),
        "jti": "one",
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _signed(identity: Identity, claims: dict[str, Any]) -> str:
    key = identity.key_of("family-practice")
    return jwt.encode(claims, key.private, algorithm="ES384", headers={"kid": key.kid})


def _by_nobody(identity: Identity) -> str:
    return client_assertion("family-practice", NOBODY, TOKEN_URL)


def _by_another_client(identity: Identity) -> str:
    return client_assertion("family-practice", identity.key_of("second-practice"), TOKEN_URL)


def _under_anothers_key_id(identity: Identity) -> str:
    key = identity.key_of("family-practice")
    return jwt.encode(_claims(), NOBODY.private, algorithm="ES384", headers={"kid": key.kid})


def _unsigned(identity: Identity) -> str:
    key = identity.key_of("family-practice")
    return jwt.encode(_claims(), "", algorithm="none", headers={"kid": key.kid})


def _symmetric(identity: Identity) -> str:
    key = identity.key_of("family-practice")
    return jwt.encode(_claims(), "x" * 48, algorithm="HS384", headers={"kid": key.kid})


def _with(**changed: Any) -> Callable[[Identity], str]:
    return lambda identity: _signed(identity, _claims(**changed))


WRONG_ASSERTIONS = [
    pytest.param(_by_nobody, id="unknown key"),
    pytest.param(_by_another_client, id="another client's key"),
    pytest.param(_under_anothers_key_id, id="another key under this id"),
    pytest.param(_unsigned, id="alg none"),
    pytest.param(_symmetric, id="alg HS384"),
    pytest.param(lambda _: "no.assertion.at-all", id="no JWT"),
    pytest.param(_with(aud=f"{BASE}/elsewhere"), id="other audience"),
    pytest.param(_with(iss="stranger", sub="stranger"), id="unregistered client"),
    pytest.param(_with(sub="second-practice"), id="other subject"),
    pytest.param(_with(exp=None), id="no expiry"),
    pytest.param(_with(jti=None), id="no jti"),
    pytest.param(lambda at: _with(exp=machine_now() - timedelta(minutes=1))(at), id="expired"),
    pytest.param(lambda at: _with(exp=machine_now() + timedelta(minutes=10))(at), id="too long"),
]


class TestAssertion:
    @pytest.mark.parametrize("wrong", WRONG_ASSERTIONS)
    async def test_that_is_wrong_is_refused(
        self, identity: Identity, wrong: Callable[[Identity], str]
    ) -> None:
        answer = await identity.ask(wrong(identity))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    async def test_works_once(self, identity: Identity) -> None:
        assertion = client_assertion("family-practice", identity.key_of("family-practice"), TOKEN_URL)
        assert (await identity.ask(assertion)).status_code == 200
        again = await identity.ask(assertion)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": "client_credentials"}, "invalid_request"),
            ({}, "unsupported_grant_type"),
            ({"grant_type": "x" * 40_000}, "invalid_request"),
        ],
    )
    async def test_requests_of_another_kind_are_refused(
        self, identity: Identity, form: dict[str, str], error: str
    ) -> None:
        answer = await identity.http.post(TOKEN_URL, data=form)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
