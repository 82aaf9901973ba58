"""The clinic's own issuer: people are sent there and come back as who the issuer proves they are."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from shared.clinic import Clinic, PersonMapping, SignIn
from shared.clock import machine_now
from tests.conftest import MakeDatabase
from tests.support.context import example_clinic
from tests.support.oidc_issuer import (
    CLIENT,
    SECRET,
    OidcIssuer,
    client_of,
    key_of_somebody,
    running_oidc_issuer,
)
from tests.support.sign_in import (
    BASE,
    Application,
    Begun,
    answered,
    claims,
    running_issuer,
    sign_in_url,
)

PEOPLE = (
    PersonMapping(subject="5f2c", client="physiotherapist"),
    PersonMapping(claim="groups", value="desk", client="coordinator"),
    PersonMapping(claim="role", value="ops", client="operator"),
)


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[OidcIssuer]:
    """The clinic's issuer."""
    async with running_oidc_issuer() as running:
        yield running


@pytest_asyncio.fixture
async def at_clinic(make_database: MakeDatabase, issuer: OidcIssuer) -> AsyncIterator[Application]:
    """The portal of a clinic with its own issuer and without demo people."""
    async with running_issuer(make_database, clinic=a_clinic(issuer), demo=False, secret=SECRET) as running:
        yield running


def a_clinic(issuer: OidcIssuer, people: tuple[PersonMapping, ...] = PEOPLE) -> Clinic:
    sign_in = SignIn(issuer=issuer.url, client_id=CLIENT, people=people)
    return example_clinic().model_copy(update={"sign_in": sign_in, "demo_people": False})


async def sent(portal: Application, begun: Begun | None = None) -> httpx.Response:
    """Follow the link of the page to the clinic's issuer."""
    return await portal.http.get(f"/auth/elsewhere?{urlencode((begun or Begun()).query())}")


async def back(portal: Application, told: dict[str, str]) -> httpx.Response:
    """Come back from the clinic's issuer."""
    return await portal.http.get("/auth/elsewhere/callback", params=told)


async def came(portal: Application, issuer: OidcIssuer, begun: Begun | None = None) -> httpx.Response:
    """Go there and come back."""
    return await back(portal, issuer.authorize((await sent(portal, begun)).headers["location"]))


class TestPerson:
    async def test_signs_in_by_the_link_of_the_page(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        begun = Begun()
        page = await at_clinic.http.get(sign_in_url(begun))
        assert "Sign in with your account of the clinic" in page.text
        told = answered(await came(at_clinic, issuer, begun))
        assert told["state"] == begun.state
        tokens = (await at_clinic.exchange(begun, told["code"])).json()
        info = (await at_clinic.userinfo(tokens)).json()
        assert (info["name"], info["party"], info["client_id"]) == (
            "Maja Lindqvist",
            "clinician",
            "physiotherapist",
        )
        assert claims(tokens["id_token"])["iss"] == BASE
        asked = issuer.asked[0]
        assert asked["redirect_uri"] == f"{BASE}/auth/elsewhere/callback"
        assert (asked["scope"], asked["code_challenge_method"]) == ("openid profile", "S256")
        assert asked["nonce"] != begun.nonce

    async def test_is_who_iss_and_sub_say_and_never_who_an_address_says(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        subjects = []
        for subject in ("one", "other"):
            issuer.subject = subject
            issuer.claims = {"groups": ["x", "desk"], "email": "same@x.example", "preferred_username": "same"}
            begun = Begun()
            told = answered(await came(at_clinic, issuer, begun))
            tokens = (await at_clinic.exchange(begun, told["code"])).json()
            subjects.append(claims(tokens["id_token"])["sub"])
            assert (await at_clinic.userinfo(tokens)).json()["party"] == "coordinator"
        assert len(set(subjects)) == 2

    async def test_has_no_subject_of_ours_whatever_the_issuer_calls_them(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        issuer.subject, issuer.claims = "demo:operator", {"role": "ops"}
        begun = Begun()
        told = answered(await came(at_clinic, issuer, begun))
        tokens = (await at_clinic.exchange(begun, told["code"])).json()
        assert claims(tokens["id_token"])["sub"].startswith("elsewhere:")

    @pytest.mark.parametrize("name", [None, "", "  ", "a\nb", 5, ["x"]])
    async def test_without_a_name_is_called_after_their_part(
        self, at_clinic: Application, issuer: OidcIssuer, name: Any
    ) -> None:
        issuer.claims = {"name": name}
        begun = Begun()
        told = answered(await came(at_clinic, issuer, begun))
        tokens = (await at_clinic.exchange(begun, told["code"])).json()
        assert (await at_clinic.userinfo(tokens)).json()["name"] == "Maja Lindqvist"

    async def test_who_has_no_part_here_is_told_so(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        issuer.subject, issuer.claims = "stranger", {"groups": "desk-of-somewhere", "role": ["op"]}
        answer = await came(at_clinic, issuer)
        assert (answer.status_code, "no part in Lumbar" in answer.text) == (403, True)
        assert await at_clinic.count("sign_in_session") == 0
        assert await at_clinic.count("sign_in_event") == 1

    async def test_may_begin_in_two_tabs_and_finish_in_either_order(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        tabs = [Begun(), Begun()]
        told = [issuer.authorize((await sent(at_clinic, begun)).headers["location"]) for begun in tabs]
        for begun, answer in reversed(list(zip(tabs, told, strict=True))):
            assert answered(await back(at_clinic, answer))["state"] == begun.state

    async def test_proves_us_by_basic(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        await came(at_clinic, issuer)
        form, authorization = issuer.exchanged[-1]
        assert client_of(authorization) == (CLIENT, SECRET)
        assert "client_secret" not in form

    async def test_proves_us_in_the_form_where_the_issuer_takes_only_that(
        self, make_database: MakeDatabase, issuer: OidcIssuer
    ) -> None:
        issuer.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        clinic = a_clinic(issuer)
        async with running_issuer(make_database, clinic=clinic, demo=False, secret=SECRET) as portal:
            assert "code" in answered(await came(portal, issuer))
        form, authorization = issuer.exchanged[-1]
        assert (form["client_id"], form["client_secret"], authorization) == (CLIENT, SECRET, "")


class TestIdToken:
    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"nonce": "another"}, id="another nonce"),
            pytest.param({"nonce": None}, id="no nonce"),
            pytest.param({"nonce": 5}, id="a nonce that is no text"),
            pytest.param({"iss": "http://127.0.0.1:1"}, id="another issuer"),
            pytest.param({"aud": "somebody"}, id="for somebody else"),
            pytest.param({"aud": [CLIENT, "somebody"]}, id="for several, and none was it issued to"),
            pytest.param({"aud": [CLIENT, "somebody"], "azp": "somebody"}, id="issued to somebody else"),
            pytest.param({"azp": "somebody"}, id="for us, issued to somebody else"),
            pytest.param({"exp": machine_now() - timedelta(minutes=5)}, id="over"),
            pytest.param({"iat": machine_now() + timedelta(hours=1)}, id="of tomorrow"),
            pytest.param({"exp": None}, id="for ever"),
            pytest.param({"sub": None}, id="nobody's"),
            pytest.param({"sub": ""}, id="of an empty subject"),
            pytest.param({"sub": "x" * 256}, id="of a subject that is too long"),
        ],
    )
    async def test_that_proves_nothing_lets_nobody_in(
        self, at_clinic: Application, issuer: OidcIssuer, changed: dict[str, Any]
    ) -> None:
        issuer.claims = changed
        answer = await came(at_clinic, issuer)
        assert answer.status_code == 403
        assert await at_clinic.count("sign_in_session") == 0

    @pytest.mark.parametrize(
        ("signs_with", "algorithm"),
        [(key_of_somebody(), "RS256"), ("x" * 64, "HS256"), (None, "RS512")],
        ids=["another key", "a shared secret", "another algorithm"],
    )
    async def test_signed_otherwise_lets_nobody_in(
        self, at_clinic: Application, issuer: OidcIssuer, signs_with: Any, algorithm: str
    ) -> None:
        issuer.signs_with, issuer.algorithm = signs_with, algorithm
        assert (await came(at_clinic, issuer)).status_code == 403

    async def test_for_several_of_which_it_was_issued_to_us_is_taken(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        issuer.claims = {"aud": [CLIENT, "somebody"], "azp": CLIENT}
        assert "code" in answered(await came(at_clinic, issuer))


class TestWayBack:
    async def test_works_once(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        assert "code" in answered(await back(at_clinic, told))
        assert (await back(at_clinic, told)).status_code == 400

    async def test_works_in_the_browser_that_was_sent_and_in_no_other(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        at_clinic.http.cookies.clear()
        assert (await back(at_clinic, told)).status_code == 400
        await sent(at_clinic)
        assert (await back(at_clinic, told)).status_code == 400
        assert await at_clinic.count("sign_in_session") == 0

    async def test_works_for_ten_minutes(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        await at_clinic.age("sign_in_elsewhere", "machine_expires_at", by="9 minutes 50 seconds")
        assert "code" in answered(await back(at_clinic, told))
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        await at_clinic.age("sign_in_elsewhere", "machine_expires_at", by="10 minutes")
        assert (await back(at_clinic, told)).status_code == 400

    @pytest.mark.parametrize(
        "changed",
        [{"state": "another"}, {"state": ""}, {"state": "\x00"}, {"iss": "https://evil.example"}],
    )
    async def test_with_another_state_or_issuer_is_refused(
        self, at_clinic: Application, issuer: OidcIssuer, changed: dict[str, str]
    ) -> None:
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        assert (await back(at_clinic, told | changed)).status_code == 400

    async def test_with_an_error_says_so(self, at_clinic: Application, issuer: OidcIssuer) -> None:
        told = issuer.authorize((await sent(at_clinic)).headers["location"])
        answer = await back(at_clinic, {"state": told["state"], "error": "<script>access_denied"})
        assert answer.status_code == 403
        assert "did not say who you are" in answer.text
        assert "<script>" not in answer.text

    @pytest.mark.parametrize("status", [400, 401])
    async def test_with_a_code_that_the_issuer_refuses_is_refused(
        self, at_clinic: Application, issuer: OidcIssuer, status: int
    ) -> None:
        issuer.status = status
        assert (await came(at_clinic, issuer)).status_code == 403


class TestIssuerItself:
    @pytest.mark.parametrize("status", [302, 500])
    async def test_that_fails_is_told_as_away(
        self, at_clinic: Application, issuer: OidcIssuer, status: int
    ) -> None:
        issuer.status = status
        answer = await came(at_clinic, issuer)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")

    async def test_that_does_not_answer_is_told_as_away_and_the_page_stands(
        self, at_clinic: Application, issuer: OidcIssuer
    ) -> None:
        issuer.metadata = {"jwks_uri": "http://127.0.0.1:1/keys"}
        assert (await sent(at_clinic)).status_code == 503
        assert (await at_clinic.http.get(sign_in_url(Begun()))).status_code == 200

    @pytest.mark.parametrize(
        "told",
        [
            {"issuer": "https://another.example"},
            {"authorization_endpoint": "http://clinic.example/authorize"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"token_endpoint": None},
            {"jwks_uri": 5},
        ],
    )
    async def test_that_says_something_strange_of_itself_is_not_used(
        self, at_clinic: Application, issuer: OidcIssuer, told: dict[str, Any]
    ) -> None:
        issuer.metadata = told
        answer = await sent(at_clinic)
        assert answer.status_code == 503
        assert "location" not in answer.headers

    async def test_of_a_clinic_without_one_is_not_there(self, portal: Application) -> None:
        assert (await sent(portal)).status_code == 404
        assert (await back(portal, {"state": "x", "code": "y"})).status_code == 404

    async def test_is_asked_for_nobody_whom_the_portal_did_not_send(self, at_clinic: Application) -> None:
        for changed in ({"redirect_uri": "https://evil.example"}, {"client_id": "x"}):
            query = urlencode(Begun().query(**changed))
            assert (await at_clinic.http.get(f"/auth/elsewhere?{query}")).status_code == 400
        await at_clinic.http.head(f"/auth/elsewhere?{urlencode(Begun().query())}")
        assert await at_clinic.count("sign_in_elsewhere") == 0
