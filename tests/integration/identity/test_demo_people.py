"""Demo people: listed by part, chosen by a button, at once by a link of a page of ours; else not there."""

import pytest

from tests.conftest import MakeDatabase
from tests.support.sign_in import (
    BASE,
    FROM_HERE,
    Application,
    Begun,
    answered,
    form_of,
    running_issuer,
    sign_in_url,
)


class TestPage:
    async def test_has_a_button_for_each_client_under_its_part(self, portal: Application) -> None:
        page = await portal.http.get(sign_in_url(Begun()))
        assert page.status_code == 200
        for client in portal.people.clinic.clients:
            assert f'name="person" value="{client.id}"' in page.text
        for told in ("Referring practices", "Coordinator", "Clinicians", "Maja Lindqvist, physiotherapy"):
            assert told in page.text
        assert "<script" not in page.text

    @pytest.mark.parametrize(
        ("header", "ui_locales", "locale"),
        [
            ("fr-CA,fr;q=0.9,en;q=0.5", None, "fr"),
            ("en;q=0.4, fr;q=0.8", None, "fr"),
            ("de, fr;q=0", None, "en"),
            ("en", "fr-CA en", "fr"),
            ("fr;q=nonsense, en", None, "en"),
        ],
    )
    async def test_speaks_the_persons_language(
        self, portal: Application, header: str, ui_locales: str | None, locale: str
    ) -> None:
        url = sign_in_url(Begun(), ui_locales=ui_locales)
        page = await portal.http.get(url, headers={"Accept-Language": header})
        assert f'<html lang="{locale}">' in page.text
        assert ("Se connecter" in page.text) is (locale == "fr")

    async def test_signs_in_by_its_form_without_a_script(self, portal: Application) -> None:
        begun = Begun()
        start = await portal.http.get("/auth/authorize", params=begun.query(ui_locales="fr"))
        action, fields = form_of(await portal.http.get(start.headers["location"]))
        answer = await portal.http.post(action, data={**fields, "person": "coordinator"}, headers=FROM_HERE)
        told = answered(answer)
        assert (answer.status_code, told["state"], told["iss"]) == (303, begun.state, BASE)
        tokens = (await portal.exchange(begun, told["code"])).json()
        info = (await portal.userinfo(tokens)).json()
        assert (info["party"], info["locale"]) == ("coordinator", "fr")
        assert info["name"] == "Coordination, Harbour Spine Toronto"

    async def test_of_two_tabs_both_forms_are_taken(self, portal: Application) -> None:
        tabs = [Begun(), Begun()]
        forms = [form_of(await portal.http.get(sign_in_url(begun))) for begun in tabs]
        for begun, (action, fields) in reversed(list(zip(tabs, forms, strict=True))):
            form = {**fields, "person": "operator"}
            told = answered(await portal.http.post(action, data=form, headers=FROM_HERE))
            assert told["state"] == begun.state

    async def test_by_itself_leads_to_the_start_page(self, portal: Application) -> None:
        answer = await portal.http.get("/auth/sign-in")
        assert answer.headers["location"] == f"{BASE}/"

    async def test_cannot_be_framed_kept_or_told_on(self, portal: Application) -> None:
        headers = (await portal.http.get(sign_in_url(Begun()))).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()

    async def test_writes_what_came_as_text_and_never_as_markup(self, portal: Application) -> None:
        begun = Begun(state='"><script>alert(1)</script>')
        page = await portal.http.get(sign_in_url(begun, login_hint="<b>x</b>"))
        assert "<script" not in page.text
        assert "<b>" not in page.text


class TestForm:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {},
        ],
    )
    async def test_of_another_page_is_refused(self, portal: Application, headers: dict[str, str]) -> None:
        action, fields = form_of(await portal.http.get(sign_in_url(Begun())))
        form = {**fields, "person": "coordinator"}
        assert (await portal.http.post(action, data=form, headers=headers)).status_code == 403
        assert await portal.count("sign_in_session") == 0

    async def test_of_a_browser_without_sec_fetch_is_known_by_its_origin(self, portal: Application) -> None:
        action, fields = form_of(await portal.http.get(sign_in_url(Begun())))
        form = {**fields, "person": "coordinator"}
        assert (await portal.http.post(action, data=form, headers={"Origin": BASE})).status_code == 303

    @pytest.mark.parametrize("token", [None, "", "another", "é"])
    async def test_without_this_browsers_token_is_refused(
        self, portal: Application, token: str | None
    ) -> None:
        action, _ = form_of(await portal.http.get(sign_in_url(Begun())))
        form = {"person": "coordinator", **({"form_token": token} if token is not None else {})}
        assert (await portal.http.post(action, data=form, headers=FROM_HERE)).status_code == 403

    async def test_of_another_browser_is_refused(self, portal: Application) -> None:
        action, fields = form_of(await portal.http.get(sign_in_url(Begun())))
        portal.http.cookies.clear()
        form = {**fields, "person": "coordinator"}
        assert (await portal.http.post(action, data=form, headers=FROM_HERE)).status_code == 403

    @pytest.mark.parametrize("person", [None, "nobody", "physiotherapist-9", "\x00"])
    async def test_that_names_nobody_is_refused(self, portal: Application, person: str | None) -> None:
        action, fields = form_of(await portal.http.get(sign_in_url(Begun())))
        form = {**fields, **({"person": person} if person is not None else {})}
        assert (await portal.http.post(action, data=form, headers=FROM_HERE)).status_code == 400


class TestLoginHint:
    @pytest.mark.parametrize("site", ["same-origin", "none"])
    async def test_of_a_page_of_ours_signs_in_at_once(self, portal: Application, site: str) -> None:
        query = Begun().query(login_hint="coordinator")
        answer = await portal.http.get("/auth/authorize", params=query, headers={"Sec-Fetch-Site": site})
        assert "code" in answered(answer)

    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {}]
    )
    async def test_of_another_page_leads_to_the_page(
        self, portal: Application, headers: dict[str, str]
    ) -> None:
        query = Begun().query(login_hint="coordinator")
        answer = await portal.http.get("/auth/authorize", params=query, headers=headers)
        assert answer.headers["location"].startswith("/auth/sign-in?")
        assert await portal.count("sign_in_session") == 0

    async def test_of_nobody_or_by_head_leads_to_the_page(self, portal: Application) -> None:
        query = Begun().query(login_hint="nobody")
        answer = await portal.http.get("/auth/authorize", params=query, headers=FROM_HERE)
        assert answer.headers["location"].startswith("/auth/sign-in?")
        query = Begun().query(login_hint="coordinator")
        await portal.http.head("/auth/authorize", params=query, headers=FROM_HERE)
        assert await portal.count("sign_in_session") == 0


class TestList:
    async def test_is_for_the_landing_page(self, portal: Application) -> None:
        told = (await portal.http.get("/auth/demo-people")).json()
        assert [person["id"] for person in told] == [client.id for client in portal.people.clinic.clients]
        assert {
            "id": "physiatrist",
            "name": "Adaeze Okafor",
            "party": "clinician",
            "discipline": "physiatry",
        } in told
        assert all("discipline" not in person for person in told if person["party"] != "clinician")

    async def test_is_in_the_language_of_the_reader(self, portal: Application) -> None:
        told = (await portal.http.get("/auth/demo-people", headers={"Accept-Language": "fr"})).json()
        assert "Exploitation" in {person["name"] for person in told}


async def test_where_there_are_none_nobody_signs_in_as_one(make_database: MakeDatabase) -> None:
    async with running_issuer(make_database, demo=False) as portal:
        assert (await portal.http.get("/auth/demo-people")).status_code == 404
        query = Begun().query(login_hint="coordinator")
        answer = await portal.http.get("/auth/authorize", params=query, headers=FROM_HERE)
        page = await portal.http.get(answer.headers["location"])
        assert 'name="person"' not in page.text
        assert await portal.count("sign_in_session") == 0
