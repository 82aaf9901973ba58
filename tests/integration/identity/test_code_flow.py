"""The code flow: what the portal asks for, what comes back, and what is refused."""

import jwt
import pytest

from tests.support.sign_in import BASE, CALLBACK, FROM_HERE, Application, Begun, answered, claims


class TestDiscovery:
    async def test_lists_every_address_and_each_is_there(self, portal: Application) -> None:
        told = (await portal.http.get("/.well-known/openid-configuration")).json()
        assert told["issuer"] == BASE
        assert told["code_challenge_methods_supported"] == ["S256"]
        assert told["id_token_signing_alg_values_supported"] == ["RS384"]
        addresses = {name: url for name, url in told.items() if name.endswith(("_endpoint", "_uri"))}
        assert set(addresses) == {
            *("authorization_endpoint", "token_endpoint", "userinfo_endpoint"),
            *("end_session_endpoint", "jwks_uri"),
        }
        for url in addresses.values():
            assert (await portal.http.get(url)).status_code not in (404, 500), url

    async def test_smart_configuration_says_how_people_sign_in_too(self, portal: Application) -> None:
        told = (await portal.http.get("/.well-known/smart-configuration")).json()
        assert told["authorization_endpoint"] == f"{BASE}/auth/authorize"
        assert "client_credentials" in told["grant_types_supported"]
        assert "sso-openid-connect" in told["capabilities"]


class TestSignIn:
    async def test_gives_tokens_that_say_who_it_is(self, portal: Application) -> None:
        begun, code = await portal.code("physiotherapist")
        tokens = (await portal.exchange(begun, code)).json()
        assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
        assert 29 * 60 < tokens["refresh_token_expires_in"] <= 30 * 60
        key = portal.people.issuer.keys.issuer.private.public_key()
        told = jwt.decode(tokens["id_token"], key, algorithms=["RS384"], audience="portal", issuer=BASE)
        assert told["nonce"] == begun.nonce
        assert told["auth_time"] <= told["iat"]
        assert (told["fhirUser"], told["name"], told["party"], told["locale"]) == (
            "Practitioner/physiotherapist",
            "Maja Lindqvist",
            "clinician",
            "en",
        )

    async def test_gives_what_the_client_of_the_person_has_in_clinic_yaml(self, portal: Application) -> None:
        tokens = await portal.sign_in("physiotherapist")
        principal = await portal.people.verifier.principal(tokens["access_token"])
        client = portal.people.clinic.client("physiotherapist")
        assert (principal.party, principal.practitioner, principal.site) == (
            "clinician",
            "physiotherapist",
            "toronto",
        )
        assert principal.scopes.texts == set(client.scopes)
        told = claims(tokens["access_token"])
        assert told["client_id"] == "physiotherapist"
        assert told["sub"] == claims(tokens["id_token"])["sub"] != "physiotherapist"
        assert told["sid"] == principal.session

    async def test_holds_less_where_less_is_asked_for(self, portal: Application) -> None:
        begun = Begun()
        query = begun.query(scope="openid user/Task.r", login_hint="coordinator")
        answer = await portal.http.get("/auth/authorize", params=query, headers=FROM_HERE)
        tokens = (await portal.exchange(begun, answered(answer)["code"])).json()
        assert claims(tokens["access_token"])["scope"] == "user/Task.r"

    async def test_userinfo_says_who_it_is(self, portal: Application) -> None:
        tokens = await portal.sign_in("family-practice")
        told = (await portal.userinfo(tokens)).json()
        assert told == {
            "sub": claims(tokens["id_token"])["sub"],
            "name": "Elm Street Family Practice",
            "fhirUser": "Person/family-practice",
            "locale": "en",
            "party": "referrer",
            "client_id": "family-practice",
        }

    @pytest.mark.parametrize("bearer", ["", "Bearer ", "Bearer nonsense", "Basic abc"])
    async def test_userinfo_is_refused_without_a_persons_token(
        self, portal: Application, bearer: str
    ) -> None:
        answer = await portal.http.get("/auth/userinfo", headers={"Authorization": bearer})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")

    async def test_userinfo_is_refused_to_an_id_token_and_to_a_system(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        system = portal.people.issuer.grant(portal.people.clinic.client("family-practice")).access_token
        for token in (tokens["id_token"], system):
            assert (await portal.userinfo({"access_token": token})).status_code == 401

    async def test_begun_in_two_tabs_both_finish_in_either_order(self, portal: Application) -> None:
        first, second = Begun(), Begun()
        _, code_of_first = await portal.code(begun=first)
        _, code_of_second = await portal.code("physiatrist", begun=second)
        assert (await portal.exchange(second, code_of_second)).status_code == 200
        assert (await portal.exchange(first, code_of_first)).status_code == 200


class TestRefusedRequest:
    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"redirect_uri": "https://evil.example/callback"}, id="elsewhere"),
            pytest.param({"redirect_uri": f"{CALLBACK}/"}, id="a slash more"),
            pytest.param({"redirect_uri": f"{CALLBACK}?next=/"}, id="a query more"),
            pytest.param({"redirect_uri": "//clinic.test/callback"}, id="no scheme"),
            pytest.param({"redirect_uri": None}, id="none"),
            pytest.param({"client_id": "coordinator"}, id="a client of clinic.yaml"),
            pytest.param({"client_id": None}, id="no application"),
        ],
    )
    @pytest.mark.parametrize("path", ["/auth/authorize", "/auth/sign-in"])
    async def test_of_an_unknown_application_sends_nobody_anywhere(
        self, portal: Application, path: str, changed: dict[str, str | None]
    ) -> None:
        answer = await portal.http.get(path, params=Begun().query(**changed), headers=FROM_HERE)
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "evil.example" not in answer.text
        assert await portal.count("sign_in_session") == 0

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"scope": "user/Task.r"}, "invalid_scope"),
            ({"scope": None}, "invalid_scope"),
            ({"prompt": "none"}, "login_required"),
            ({"request": "eyJ"}, "request_not_supported"),
            ({"request_uri": "https://evil.example"}, "request_uri_not_supported"),
            ({"nonce": "é"}, "invalid_request"),
            ({"nonce": "a\x00"}, "invalid_request"),
            ({"nonce": "n" * 1025}, "invalid_request"),
        ],
    )
    async def test_goes_back_to_the_application_with_an_error(
        self, portal: Application, changed: dict[str, str | None], error: str
    ) -> None:
        begun = Begun()
        query = begun.query(login_hint="coordinator", **changed)
        told = answered(await portal.http.get("/auth/authorize", params=query, headers=FROM_HERE))
        assert (told["error"], told["state"], told["iss"]) == (error, begun.state, BASE)
        assert await portal.count("sign_in_session") == 0

    async def test_with_a_parameter_twice_is_no_request(self, portal: Application) -> None:
        query = [*Begun().query().items(), ("state", "another")]
        assert (await portal.http.get("/auth/authorize", params=query)).status_code == 400

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"a=1&" * 30, b"a=" + b"x" * 40_000])
    async def test_of_strange_bytes_is_the_callers_fault(self, portal: Application, content: bytes) -> None:
        for path in ("/auth/authorize", "/auth/end-session", "/auth/session-status", "/auth/token"):
            answer = await portal.http.post(path, content=content)
            assert 400 <= answer.status_code < 500, path

    async def test_sent_by_a_form_is_read_too(self, portal: Application) -> None:
        answer = await portal.http.post("/auth/authorize", data=Begun().query())
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/auth/sign-in?")


class TestCode:
    async def test_is_used_once_and_a_replay_ends_the_session(self, portal: Application) -> None:
        begun, code = await portal.code()
        tokens = (await portal.exchange(begun, code)).json()
        assert await portal.is_signed_in(tokens)
        replay = await portal.exchange(begun, code)
        assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
        assert not await portal.is_signed_in(tokens)
        assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"

    async def test_lives_sixty_seconds(self, portal: Application) -> None:
        begun, code = await portal.code()
        await portal.age("authorization_code", "machine_expires_at", by="59 seconds")
        assert (await portal.exchange(begun, code)).status_code == 200
        begun, code = await portal.code()
        await portal.age("authorization_code", "machine_expires_at", by="60 seconds")
        assert (await portal.exchange(begun, code)).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("changed", "error"),
        [
            ({"code_verifier": "x" * 43}, "invalid_grant"),
            ({"code_verifier": "short"}, "invalid_grant"),
            ({"redirect_uri": f"{BASE}/other"}, "invalid_grant"),
            ({"code": "another"}, "invalid_grant"),
            ({"client_id": "coordinator"}, "invalid_client"),
            ({"client_secret": "hush"}, "invalid_client"),
            ({"code": ""}, "invalid_request"),
            ({"code_verifier": ""}, "invalid_request"),
        ],
    )
    async def test_is_refused_to_whom_it_was_not_given(
        self, portal: Application, changed: dict[str, str], error: str
    ) -> None:
        begun, code = await portal.code()
        answer = await portal.exchange(begun, code, **changed)
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] == error
        assert answer.headers["cache-control"] == "no-store"
        assert await portal.count("refresh_token") == 0

    async def test_that_a_thief_has_tried_is_spent(self, portal: Application) -> None:
        begun, code = await portal.code()
        await portal.exchange(begun, code, code_verifier="x" * 43)
        assert (await portal.exchange(begun, code)).json()["error"] == "invalid_grant"
