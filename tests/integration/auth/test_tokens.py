"""Tokens from end to end: assertion, token, principal; and every way in which either is wrong."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette

from shared.auth.assertion import client_assertion, fetch_token, token_request
from shared.auth.endpoints import create_issuer_app
from shared.auth.issuer import Issuer
from shared.auth.keys import Keys, SigningKey, load_client_key, load_or_make_keys
from shared.auth.tables import METADATA
from shared.auth.verifier import JwtVerifier
from shared.clinic import Clinic, load_clinic
from shared.clock import machine_now
from shared.errors import Unauthenticated
from tests.conftest import MakeDatabase
from tests.support.toy import EXAMPLE

BASE = "http://clinic.test"
TOKEN_URL = f"{BASE}/auth/token"
NOBODY = SigningKey.of(ec.generate_private_key(ec.SECP384R1()))


@dataclass
class Identity:
    issuer: Issuer
    http: httpx.AsyncClient
    verifier: JwtVerifier
    clinic: Clinic
    keys: Keys
    folder: Path

    def key_of(self, client: str) -> SigningKey:
        return load_client_key(self.folder, client)

    async def ask(self, assertion: str, *, scope: str | None = None) -> httpx.Response:
        return await self.http.post(TOKEN_URL, data=token_request(assertion, scope=scope))

    def signed(self, **changed: Any) -> str:
        """Sign an access token like the issuer's own, with claims changed or (None) left out."""
        now = machine_now()
        claims = {
            "iss": BASE,
            "aud": BASE,
            "sub": "family-practice",
            "client_id": "family-practice",
            "scope": "system/Task.rs",
            "exp": now + timedelta(minutes=5),
            **changed,
        }
        key = self.keys.issuer
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, key.private, algorithm="RS384", headers={"kid": key.kid})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity") / "keys"


@pytest_asyncio.fixture
async def identity(make_database: MakeDatabase, folder: Path) -> AsyncIterator[Identity]:
    clinic = load_clinic(EXAMPLE)
    keys = load_or_make_keys(folder, clients=[client.id for client in clinic.clients])
    database = await make_database(METADATA, name="identity")
    issuer = Issuer(clinic, keys=keys, database=database, base_url=BASE)
    app = Starlette(routes=create_issuer_app(issuer))
    verifier = JwtVerifier(clinic, issuer=BASE, audience=BASE, jwks=issuer.jwks())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield Identity(issuer, http, verifier, clinic, keys, folder)


class TestToken:
    async def test_of_a_practice_makes_its_principal(self, identity: Identity) -> None:
        token = await fetch_token(BASE, "family-practice", identity.folder, http=identity.http)
        principal = await identity.verifier.principal(token)
        assert (principal.party, principal.organization) == ("referrer", "family-practice")
        assert principal.scopes.allow("ServiceRequest", "c")
        assert not principal.scopes.allow("Claim", "r")

    async def test_of_an_insurer_names_its_payer(self, identity: Identity) -> None:
        token = await fetch_token(BASE, "motor-insurer", identity.folder, http=identity.http)
        assert (await identity.verifier.principal(token)).organization == "motor-insurer"

    async def test_of_a_person_says_who_and_where(self, identity: Identity) -> None:
        token = await fetch_token(BASE, "physiotherapist", identity.folder, http=identity.http)
        principal = await identity.verifier.principal(token)
        assert principal.practitioner == "physiotherapist"
        assert principal.site == identity.clinic.person("physiotherapist").site
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["fhirUser"] == "Practitioner/physiotherapist"

    async def test_lives_five_minutes_and_is_not_kept_by_caches(self, identity: Identity) -> None:
        key = identity.key_of("family-practice")
        answer = await identity.ask(client_assertion("family-practice", key, TOKEN_URL))
        assert (answer.json()["expires_in"], answer.json()["token_type"]) == (300, "bearer")
        assert answer.headers["cache-control"] == "no-store"

    async def test_holds_only_the_scopes_that_were_asked_for(self, identity: Identity) -> None:
        key = identity.key_of("family-practice")
        assertion = client_assertion("family-practice", key, TOKEN_URL)
        answer = await identity.ask(assertion, scope="system/Task.r")
        assert answer.json()["scope"] == "system/Task.r"
        principal = await identity.verifier.principal(answer.json()["access_token"])
        assert not principal.scopes.allow("Task", "s")

    @pytest.mark.parametrize(
        "scope",
        [
            pytest.param("system/Claim.r", id="beyond registration"),
            pytest.param("system/Task.ru", id="one letter beyond"),
            pytest.param("user/Task.r", id="another level"),
            pytest.param("system/*.r", id="everything"),
            pytest.param("system/Task.sr", id="letters out of order"),
            pytest.param("openid", id="no FHIR scope"),
        ],
    )
    async def test_is_refused_for_a_scope_that_is_not_the_clients(
        self, identity: Identity, scope: str
    ) -> None:
        key = identity.key_of("family-practice")
        answer = await identity.ask(client_assertion("family-practice", key, TOKEN_URL), scope=scope)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")

    async def test_is_verified_by_the_published_keys(self, identity: Identity) -> None:
        published = (await identity.http.get("/auth/jwks")).json()["keys"]
        assert [key["kid"] for key in published] == [identity.keys.issuer.kid]
        assert all("d" not in key for key in published)
        told = (await identity.http.get("/.well-known/smart-configuration")).json()
        assert told["token_endpoint"] == TOKEN_URL
        assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]


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
