"""Sessions: refreshed by acts, ended by reuse, idleness, age, sign-out and a restart without demo people."""

import asyncio

import pytest

from shared.auth.verifier import BadToken
from tests.support.sign_in import BASE, Application, at_database, claims


class TestRefresh:
    async def test_rotates_and_keeps_the_person(self, portal: Application) -> None:
        tokens = await portal.sign_in("physiatrist")
        answer = await portal.refresh(tokens["refresh_token"])
        renewed = answer.json()
        assert answer.status_code == 200
        assert renewed["refresh_token"] != tokens["refresh_token"]
        for name in ("sub", "sid", "auth_time", "name"):
            assert claims(renewed["id_token"])[name] == claims(tokens["id_token"])[name]
        assert "nonce" not in claims(renewed["id_token"])
        assert await portal.is_signed_in(renewed)

    async def test_ten_at_once_get_one_successor(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        answers = await asyncio.gather(*(portal.refresh(tokens["refresh_token"]) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        successors = {answer.json()["refresh_token"] for answer in answers}
        assert len(successors) == 1
        assert await portal.count("refresh_token") == 2
        assert (await portal.refresh(successors.pop())).status_code == 200

    async def test_of_a_token_that_was_used_before_ends_the_session(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        renewed = (await portal.refresh(tokens["refresh_token"])).json()
        await portal.age("refresh_token", "machine_used_at", by="11 seconds")
        answer = await portal.refresh(tokens["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
        assert not await portal.is_signed_in(renewed)
        assert (await portal.refresh(renewed["refresh_token"])).json()["error"] == "invalid_grant"

    async def test_of_a_token_whose_successor_was_used_ends_the_session_at_once(
        self, portal: Application
    ) -> None:
        tokens = await portal.sign_in()
        renewed = (await portal.refresh(tokens["refresh_token"])).json()
        again = (await portal.refresh(renewed["refresh_token"])).json()
        assert (await portal.refresh(tokens["refresh_token"])).status_code == 400
        assert not await portal.is_signed_in(again)

    @pytest.mark.parametrize("token", ["nonsense", "\x00", "é" * 100])
    async def test_of_a_token_that_nobody_gave_is_refused(self, portal: Application, token: str) -> None:
        assert (await portal.refresh(token)).json()["error"] == "invalid_grant"


class TestEnd:
    async def test_comes_after_half_an_hour_without_an_act(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        await portal.age("sign_in_session", "machine_last_act_at", by="29 minutes")
        assert await portal.is_signed_in(tokens)
        await portal.age("sign_in_session", "machine_last_act_at", by="1 minute")
        assert not await portal.is_signed_in(tokens)
        assert (await portal.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"

    async def test_is_put_off_by_a_refresh_and_by_nothing_else(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        await portal.age("sign_in_session", "machine_last_act_at", by="20 minutes")
        await portal.userinfo(tokens)
        await portal.age("sign_in_session", "machine_last_act_at", by="9 minutes")
        renewed = (await portal.refresh(tokens["refresh_token"])).json()
        assert renewed["refresh_token_expires_in"] == 30 * 60
        await portal.age("sign_in_session", "machine_last_act_at", by="29 minutes")
        assert await portal.is_signed_in(renewed)

    async def test_comes_after_twelve_hours_whatever_is_done(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        await portal.age("sign_in_session", "machine_began_at", by="11 hours 50 minutes")
        renewed = (await portal.refresh(tokens["refresh_token"])).json()
        assert 9 * 60 < renewed["refresh_token_expires_in"] <= 10 * 60
        await portal.age("sign_in_session", "machine_began_at", by="10 minutes")
        assert not await portal.is_signed_in(renewed)

    async def test_counts_at_the_next_request_of_an_access_token(self, portal: Application) -> None:
        tokens, other = await portal.sign_in(), await portal.sign_in()
        verifier = portal.people.verifier
        assert (await verifier.principal(tokens["access_token"])).party == "coordinator"
        answer = await portal.http.post("/auth/end-session", data={"id_token_hint": tokens["id_token"]})
        assert answer.status_code == 200
        with pytest.raises(BadToken, match="has ended"):
            await verifier.principal(tokens["access_token"])
        assert (await verifier.principal(other["access_token"])).party == "coordinator"


class TestSignOut:
    async def test_of_a_browser_goes_back_to_the_portal(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        asked = {
            "id_token_hint": tokens["id_token"],
            "post_logout_redirect_uri": f"{BASE}/",
            "state": "a b",
        }
        answer = await portal.http.get("/auth/end-session", params=asked)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{BASE}/?state=a+b")
        assert not await portal.is_signed_in(tokens)

    @pytest.mark.parametrize("back", ["https://evil.example/", f"{BASE}/other", f"{BASE}//evil.example/"])
    async def test_sends_nobody_elsewhere(self, portal: Application, back: str) -> None:
        tokens = await portal.sign_in()
        asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": back}
        answer = await portal.http.get("/auth/end-session", params=asked)
        assert answer.status_code == 200
        assert "location" not in answer.headers

    @pytest.mark.parametrize("hint", ["", "nonsense", "a.b.c"])
    async def test_without_an_id_token_of_ours_ends_nothing(self, portal: Application, hint: str) -> None:
        tokens = await portal.sign_in()
        answer = await portal.http.post("/auth/end-session", data={"id_token_hint": hint})
        assert answer.status_code == 400
        assert await portal.is_signed_in(tokens)

    async def test_by_an_access_token_or_a_head_request_ends_nothing(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        by_access = {"id_token_hint": tokens["access_token"]}
        assert (await portal.http.post("/auth/end-session", data=by_access)).status_code == 400
        await portal.http.head("/auth/end-session", params={"id_token_hint": tokens["id_token"]})
        assert await portal.is_signed_in(tokens)


class TestRestart:
    async def test_keeps_sessions(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        async with at_database(portal.database, clinic=portal.people.clinic) as again:
            assert await again.is_signed_in(tokens)
            assert (await again.refresh(tokens["refresh_token"])).status_code == 200

    async def test_without_demo_people_ends_theirs(self, portal: Application) -> None:
        tokens = await portal.sign_in()
        async with at_database(portal.database, clinic=portal.people.clinic, demo=False) as again:
            assert not await again.is_signed_in(tokens)
            assert (await again.refresh(tokens["refresh_token"])).status_code == 400

    async def test_without_the_persons_client_ends_theirs(self, portal: Application) -> None:
        tokens = await portal.sign_in("operator")
        clinic = portal.people.clinic
        clients = tuple(client for client in clinic.clients if client.id != "operator")
        fewer = clinic.model_copy(update={"clients": clients})
        async with at_database(portal.database, clinic=fewer) as again:
            assert not await again.is_signed_in(tokens)
            assert (await again.refresh(tokens["refresh_token"])).status_code == 400
