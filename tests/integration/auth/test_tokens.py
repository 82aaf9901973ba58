"""Tokens from end to end: what a client gets for its assertion."""

import jwt
import pytest

from deploy.services import SERVICES
from shared.auth.assertion import client_assertion, fetch_token
from shared.auth.scopes import Scopes
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
            pytest.param("user/Task.r", id="another level"),
            pytest.param("user/*.rs", id="everything of another level"),
            pytest.param("system/Task.d", id="another letter"),
            pytest.param("system/*.d", id="another letter of everything"),
            pytest.param("system/Task.r?status=requested", id="less than we can give"),
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

    async def test_is_refused_with_what_the_client_is_registered_for(self, identity: Identity) -> None:
        key = identity.key_of("workplace-insurer")
        answer = await identity.ask(
            client_assertion("workplace-insurer", key, TOKEN_URL), scope="system/Patient.rs"
        )
        assert "system/ClaimResponse.crs system/Communication.rs" in answer.json()["error_description"]

    @pytest.mark.parametrize(
        ("scope", "granted"),
        [
            pytest.param("system/Task.ru", "system/Task.r", id="one letter beyond"),
            pytest.param("system/ClaimResponse.cruds", "system/ClaimResponse.crs", id="all letters"),
            pytest.param("system/ClaimResponse.write", "system/ClaimResponse.c", id="version 1, in part"),
            pytest.param("system/Coverage.read", "system/Coverage.read", id="version 1, as it was asked for"),
            pytest.param(
                "system/*.r",
                "system/Claim.r system/ClaimResponse.r system/Communication.r system/Coverage.r"
                " system/HealthcareService.r system/Location.r system/Organization.r system/Practitioner.r"
                " system/PractitionerRole.r system/Task.r",
                id="everything",
            ),
            pytest.param(
                "system/*.read",
                "system/Claim.rs system/ClaimResponse.rs system/Communication.rs system/Coverage.rs"
                " system/HealthcareService.rs system/Location.rs system/Organization.rs"
                " system/Practitioner.rs system/PractitionerRole.rs system/Task.rs",
                id="everything of version 1",
            ),
            pytest.param("system/*.cu", "system/ClaimResponse.c", id="what writes of everything"),
            pytest.param("user/*.rs system/Task.rs", "system/Task.rs", id="one level of two"),
            pytest.param(
                "system/Patient.rs system/Claim.r system/Task.s", "system/Claim.r system/Task.s", id="a list"
            ),
            pytest.param("openid fhirUser launch system/Task.r", "system/Task.r", id="what is no resource's"),
            pytest.param(
                "system/Claim.r?status=active system/Task.r", "system/Task.r", id="one with a query"
            ),
        ],
    )
    async def test_that_asks_for_more_gets_what_both_allow(
        self, identity: Identity, scope: str, granted: str
    ) -> None:
        assertion = client_assertion("workplace-insurer", identity.key_of("workplace-insurer"), TOKEN_URL)
        answer = await identity.ask(assertion, scope=scope)
        assert (answer.status_code, answer.json()["scope"]) == (200, granted)
        claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
        assert claims["scope"] == granted
        principal = await identity.verifier.principal(answer.json()["access_token"])
        assert not principal.scopes.allow("Patient", "r")

    async def test_where_everything_is_registered_everything_is_given(self) -> None:
        registered = Scopes.parse(["system/*.rs", "user/Task.r"])
        asked = Scopes.parse(["system/*.cruds", "system/Task.r", "user/*.r"])
        assert asked.granted_of(registered) == ["system/*.rs", "system/Task.r", "user/Task.r"]

    @pytest.mark.parametrize("service", ["", *(f"/{service}/fhir" for service in SERVICES)])
    async def test_is_asked_for_where_each_fhir_base_says(self, identity: Identity, service: str) -> None:
        told = (await identity.http.get(f"{service}/.well-known/smart-configuration")).json()
        assert told["token_endpoint"] == TOKEN_URL
        assert (await identity.http.get("/portal/fhir/.well-known/smart-configuration")).status_code == 404

    async def test_is_verified_by_the_published_keys(self, identity: Identity) -> None:
        published = (await identity.http.get("/auth/jwks")).json()["keys"]
        assert [key["kid"] for key in published] == [identity.keys.issuer.kid]
        assert all("d" not in key for key in published)
        told = (await identity.http.get("/.well-known/smart-configuration")).json()
        assert told["token_endpoint"] == TOKEN_URL
        assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
