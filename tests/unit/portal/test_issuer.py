"""The portal believes an id token only of its issuer, for itself, for this attempt, and while it is good."""

import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from services.portal.issuer import Attempt, Issuer, IssuerAway, SessionOver, SignInRefused
from shared.auth.keys import SigningKey

BASE = "http://clinic.test"
OURS = SigningKey.of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
FOREIGN = SigningKey.of(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def issuer(answer: dict[str, Any], *, status: int = 200) -> Issuer:
    """Make a portal's issuer whose token endpoint answers this."""

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/jwks":
            return httpx.Response(200, json={"keys": [OURS.jwk]})
        return httpx.Response(status, content=json.dumps(answer))

    http = httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url=BASE)
    return Issuer(http, base_url=BASE)


def tokens(attempt: Attempt, *, key: SigningKey = OURS, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": BASE,
        "aud": "portal",
        "sub": "demo:coordinator",
        "nonce": attempt.nonce,
        "iat": now,
        "exp": now + 300,
        **changed,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid})
    return {"id_token": token, "access_token": "a", "refresh_token": "r", "expires_in": 300}


async def test_a_right_token_signs_in() -> None:
    attempt = Attempt.begin("/")
    granted = await issuer(tokens(attempt)).exchange("code", attempt)
    assert granted.claims["sub"] == "demo:coordinator"


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-application"},
        {"iss": "http://elsewhere.test"},
        {"exp": 1},
        {"key": FOREIGN},
    ],
)
async def test_a_token_that_is_wrong_in_one_thing_signs_nobody_in(changed: dict[str, Any]) -> None:
    attempt = Attempt.begin("/")
    with pytest.raises(SignInRefused):
        await issuer(tokens(attempt, **changed)).exchange("code", attempt)


async def test_an_unsigned_token_signs_nobody_in() -> None:
    attempt = Attempt.begin("/")
    claims = {"iss": BASE, "aud": "portal", "sub": "x", "nonce": attempt.nonce, "exp": time.time() + 60}
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": OURS.kid})
    with pytest.raises(SignInRefused):
        await issuer({"id_token": unsigned, "expires_in": 1}).exchange("code", attempt)


@pytest.mark.parametrize(("status", "raised"), [(400, SessionOver), (503, IssuerAway)])
async def test_a_refused_refresh_ends_the_session_and_an_absent_issuer_does_not(
    status: int, raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        await issuer({"error": "x"}, status=status).refresh("r")


def test_every_attempt_has_secrets_of_its_own() -> None:
    first, second = Attempt.begin("/"), Attempt.begin("/")
    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6
    assert first.challenge != first.verifier
