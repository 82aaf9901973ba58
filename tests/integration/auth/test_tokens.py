"""Tokens from end to end: what a client gets for its assertion."""

import jwt
import pytest

from shared.auth.assertion import client_assertion, fetch_token
from tests.support.issuer import BASE, TOKEN_URL, Identity


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
