"""Assertions: every way in which one is wrong is refused."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings

from shared.auth.assertion import client_assertion
from shared.clock import machine_now
from tests.support.issuer import BASE, NOBODY, TOKEN_URL, Identity
from tests.support.strange_texts import TEXTS


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


def _in(*, seconds: int) -> datetime:
    return machine_now() + timedelta(seconds=seconds)


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
    pytest.param(lambda at: _with(exp=_in(seconds=340))(at), id="longer than our clocks may differ"),
    pytest.param(lambda at: _with(iat=_in(seconds=40))(at), id="made in a while"),
    pytest.param(lambda at: _with(nbf=_in(seconds=40))(at), id="good in a while"),
    pytest.param(lambda at: _with(exp=_in(seconds=-40))(at), id="expired a while ago"),
]
A_CLOCK_BESIDE_OURS = [
    pytest.param(lambda at: _with(exp=_in(seconds=325))(at), id="it is before ours, and lives 5 minutes"),
    pytest.param(lambda at: _with(iat=_in(seconds=25), nbf=_in(seconds=25))(at), id="it is before ours"),
    pytest.param(lambda at: _with(iat=_in(seconds=-300), exp=_in(seconds=-20))(at), id="it is behind ours"),
]


def _with_payload(payload: bytes) -> Callable[[Identity], str]:
    """Sign claims as they stand, which no library would write."""

    def made(identity: Identity) -> str:
        key = identity.key_of("family-practice")
        return jwt.api_jws.encode(payload, key.private, algorithm="ES384", headers={"kid": key.kid})

    return made


def _with_raw(name: str, value: str) -> Callable[[Identity], str]:
    claims = json.dumps(_claims() | {"exp": int(machine_now().timestamp()) + 240, name: 0})
    return _with_payload(claims.replace(f'"{name}": 0', f'"{name}": {value}').encode())


MALFORMED = [
    *(
        pytest.param(_with_raw(name, value), id=f"{name} {value[:12]}")
        for name in ("exp", "iat", "nbf")
        for value in (
            "1e30",
            "1e400",
            "1" + "0" * 30,
            "1" * 4400,
            "NaN",
            "Infinity",
            "-1",
            "1800000000.5",
            '"soon"',
            "true",
            "null",
            "[1]",
            "{}",
        )
    ),
    *(
        pytest.param(_with_raw("jti", value), id=f"jti {value[:12]}")
        for value in (
            f'"{"x" * 256}"',
            '"a\\u0000b"',
            '"\\ud800"',
            '""',
            "7",
            "null",
            '["one"]',
            '{"one": 1}',
        )
    ),
    *(
        pytest.param(_with_raw(name, value), id=f"{name} {value}")
        for name in ("iss", "sub")
        for value in ("7", "null", '["family-practice"]', "{}")
    ),
    *(pytest.param(_with_raw("aud", value), id=f"aud {value}") for value in ("7", "null", "[7]", "{}")),
    pytest.param(_with_payload(b"[1, 2]"), id="an array for claims"),
    pytest.param(_with_payload(b"7"), id="a number for claims"),
    pytest.param(_with_payload(b"\xff"), id="claims in no encoding"),
    pytest.param(_with_payload(b"[" * 2500 + b"]" * 2500), id="claims nested without end"),
    pytest.param(_with_payload(b'{"exp": ' + b"[" * 2000 + b"]" * 2000 + b"}"), id="a claim nested so"),
]


class TestAssertion:
    @pytest.mark.parametrize("malformed", MALFORMED)
    async def test_that_is_malformed_is_400_and_leaves_nothing(
        self, identity: Identity, malformed: Callable[[Identity], str]
    ) -> None:
        answer = await identity.ask(malformed(identity))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
        assert await identity.database.fetch("SELECT FROM used_assertion") == []

    @pytest.mark.parametrize(
        "header",
        [
            "[" * 3000 + "]" * 3000,
            '{"alg": "ES384", "kid": ' + "[" * 2000 + "]" * 2000 + "}",
            '{"alg": ["ES384"], "kid": "k"}',
            '{"alg": "ES384", "kid": {}}',
            '{"alg": NaN}',
            "7",
        ],
    )
    async def test_whose_header_is_none_is_refused(self, identity: Identity, header: str) -> None:
        _, claims, signature = _signed(identity, _claims()).split(".")
        made = urlsafe_b64encode(header.encode()).decode().rstrip("=")
        answer = await identity.ask(f"{made}.{claims}.{signature}")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=TEXTS)
    async def test_with_any_jti_is_taken_or_refused(self, identity: Identity, text: str) -> None:
        payload = json.dumps(_claims(jti=text) | {"exp": int(machine_now().timestamp()) + 240})
        answer = await identity.ask(_with_payload(payload.encode())(identity))
        assert answer.status_code in (200, 400, 401), answer.text
        if answer.status_code == 401:
            assert "used before" in answer.text or len(payload) > 5000

    @pytest.mark.parametrize("wrong", WRONG_ASSERTIONS)
    async def test_that_is_wrong_is_refused(
        self, identity: Identity, wrong: Callable[[Identity], str]
    ) -> None:
        answer = await identity.ask(wrong(identity))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize("made", A_CLOCK_BESIDE_OURS)
    async def test_of_a_clock_that_is_not_quite_ours_is_taken_once(
        self, identity: Identity, made: Callable[[Identity], str]
    ) -> None:
        assertion = made(identity)
        assert (await identity.ask(assertion)).status_code == 200
        assert (await identity.ask(assertion)).status_code == 401

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
