"""Invited people: a link that works once, a password kept by argon2id, attempts that are limited."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.auth.people import attempts, invitations, passwords, queries
from shared.auth.people.invitations import InvitationError
from tests.support.sign_in import BASE, FROM_HERE, Application, Begun, Tokens, answered, form_of, sign_in_url

NOW = datetime.now(UTC)
PASSWORD = "a sentence that nobody guesses"


async def invited(portal: Application, login: str = "maja", client: str = "physiotherapist") -> str:
    """Invite somebody, and return the link."""
    async with portal.database.transaction() as tx:
        return await invitations.invite(
            tx, issuer=BASE, login=login, name="Maja L.", client=client, at=datetime.now(UTC)
        )


async def accepted(
    portal: Application, link: str, password: str = PASSWORD, **changed: str
) -> httpx.Response:
    """Open a link and send its form."""
    action, fields = form_of(await portal.http.get(link))
    form = {**fields, "password": password, "again": password, **changed}
    return await portal.http.post(action, data=form, headers=FROM_HERE)


async def tried(
    portal: Application, login: str = "maja", password: str = PASSWORD, *, begun: Begun | None = None
) -> httpx.Response:
    """Send the page's form with a login and a password."""
    page = await portal.http.get(sign_in_url(begun or Begun()))
    action, fields = form_of(page)
    form = {**fields, "login": login, "password": password}
    return await portal.http.post(action, data=form, headers=FROM_HERE)


async def signed_in(portal: Application, login: str = "maja", password: str = PASSWORD) -> Tokens:
    begun = Begun()
    answer = await tried(portal, login, password, begun=begun)
    tokens: Tokens = (await portal.exchange(begun, answered(answer)["code"])).json()
    return tokens


class TestInvitation:
    async def test_lets_a_person_choose_a_password_and_sign_in(self, portal: Application) -> None:
        assert (await accepted(portal, await invited(portal))).status_code == 200
        told = (await portal.userinfo(await signed_in(portal))).json()
        assert (told["name"], told["party"], told["client_id"]) == ("Maja L.", "clinician", "physiotherapist")
        assert told["fhirUser"] == "Practitioner/physiotherapist"

    async def test_is_kept_as_argon2id_and_as_a_mark(self, portal: Application) -> None:
        link = await invited(portal)
        async with portal.database.transaction() as tx:
            [row] = await tx.records("SELECT * FROM invitation")
        assert link.partition("link=")[2] not in str(dict(row))
        await accepted(portal, link)
        async with portal.database.transaction() as tx:
            kept = await tx.value("SELECT password FROM invited_person")
        assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert PASSWORD not in kept

    async def test_opened_by_get_or_head_changes_nothing(self, portal: Application) -> None:
        link = await invited(portal)
        for _ in range(3):
            assert (await portal.http.get(link)).status_code == 200
            assert (await portal.http.head(link)).status_code == 200
        assert (await accepted(portal, link)).status_code == 200

    async def test_page_is_kept_by_no_cache_and_told_to_nobody(self, portal: Application) -> None:
        headers = (await portal.http.get(await invited(portal))).headers
        assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert headers["x-robots-tag"] == "noindex"

    async def test_works_once(self, portal: Application) -> None:
        link = await invited(portal)
        page = await portal.http.get(link)
        await accepted(portal, link)
        assert (await portal.http.get(link)).status_code == 410
        action, fields = form_of(page)
        form = {**fields, "password": "another sentence here", "again": "another sentence here"}
        assert (await portal.http.post(action, data=form, headers=FROM_HERE)).status_code == 410
        assert "code" in answered(await tried(portal))

    async def test_sent_twice_at_once_sets_one_password(self, portal: Application) -> None:
        action, fields = form_of(await portal.http.get(await invited(portal)))
        sentences = [f"the sentence number {number}" for number in range(4)]
        answers = await asyncio.gather(
            *(
                portal.http.post(
                    action, data={**fields, "password": password, "again": password}, headers=FROM_HERE
                )
                for password in sentences
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]

    async def test_lives_seven_days(self, portal: Application) -> None:
        link = await invited(portal)
        await portal.age("invitation", "machine_expires_at", by="6 days 23 hours")
        assert (await portal.http.get(link)).status_code == 200
        await portal.age("invitation", "machine_expires_at", by="1 hour")
        assert (await portal.http.get(link)).status_code == 410

    @pytest.mark.parametrize("link", ["", "?link=", "?link=nonsense", "?link=%00", "?link=%F0%9F"])
    async def test_that_is_none_is_gone(self, portal: Application, link: str) -> None:
        assert (await portal.http.get(f"/auth/invitation{link}")).status_code == 410

    @pytest.mark.parametrize(
        ("password", "again", "says"),
        [
            ("elevenchars", None, "too short"),
            ("x" * 257, None, "too long"),
            ("aaaaaaaaaaaaaaaa", None, "too easy"),
            ("maja-maja-maja", None, "too easy"),
            (PASSWORD, "something else here", "not the same"),
        ],
    )
    async def test_takes_no_weak_or_mistyped_password(
        self, portal: Application, password: str, again: str | None, says: str
    ) -> None:
        link = await invited(portal)
        answer = await accepted(portal, link, password, again=again or password)
        assert (answer.status_code, says in answer.text) == (400, True)
        assert password not in answer.text
        assert (await portal.http.get(link)).status_code == 200

    async def test_form_of_another_page_is_refused(self, portal: Application) -> None:
        action, fields = form_of(await portal.http.get(await invited(portal)))
        form = {**fields, "password": PASSWORD, "again": PASSWORD}
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert (await portal.http.post(action, data=form, headers=elsewhere)).status_code == 403

    async def test_of_a_login_that_is_taken_is_refused(self, portal: Application) -> None:
        await invited(portal, "Maja@Clinic.example")
        with pytest.raises(InvitationError, match="invited already"):
            await invited(portal, "maja@clinic.EXAMPLE")

    @pytest.mark.parametrize("login", ["", "two words", "x" * 256, "a\x00b"])
    async def test_of_a_login_that_is_none_is_refused(self, portal: Application, login: str) -> None:
        with pytest.raises(InvitationError, match="a login has"):
            await invited(portal, login)


class TestPassword:
    async def test_is_the_same_however_its_letters_are_composed(self, portal: Application) -> None:
        await accepted(portal, await invited(portal), "un été à Montréal, été")
        answer = await tried(portal, " MAJA ", "un e\u0301te\u0301 a\u0300 Montre\u0301al, e\u0301te\u0301")
        assert "code" in answered(answer)

    async def test_wrong_and_nobodys_are_told_in_the_same_words(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        await invited(portal, "not-yet")
        answers = [
            await tried(portal, "maja", "wrong wrong wrong"),
            await tried(portal, "nobody", PASSWORD),
            await tried(portal, "not-yet", PASSWORD),
            await tried(portal, "maja", ""),
            await tried(portal, "maja", "x" * 5000),
            await tried(portal, "x" * 5000, PASSWORD),
        ]
        assert {answer.status_code for answer in answers} == {400}
        told = {re.findall(r'<p class="problem" role="alert">[^<]*</p>', page.text)[0] for page in answers}
        assert told == {'<p class="problem" role="alert">Login and password do not belong together.</p>'}
        assert await portal.count("sign_in_session") == 0

    async def test_of_nobody_takes_the_work_of_somebodys(
        self, portal: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await accepted(portal, await invited(portal))
        checked: list[str] = []
        verify = passwords._verified

        def counted(kept: str, password: str) -> bool:
            checked.append(kept.rsplit("$", 2)[0])
            return verify(kept, password)

        monkeypatch.setattr("shared.auth.people.passwords._verified", counted)
        await tried(portal, "maja", "wrong wrong wrong")
        await tried(portal, "nobody", "wrong wrong wrong")
        assert len(checked) == 2
        assert len(set(checked)) == 1

    async def test_is_tried_five_times_for_a_person_and_then_waited_for(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        for _ in range(attempts.ALLOWED[attempts.AttemptSubject.PERSON]):
            assert (await tried(portal, "maja", "wrong wrong wrong")).status_code == 400
        limited = await tried(portal)
        assert limited.status_code == 429
        assert 0 < int(limited.headers["retry-after"]) <= 15 * 60
        assert "too many attempts" in limited.text.lower()
        await portal.age("sign_in_attempts", "machine_since", by="15 minutes")
        assert "code" in answered(await tried(portal))

    async def test_of_nobody_is_limited_just_so(self, portal: Application) -> None:
        statuses = [(await tried(portal, "nobody", "wrong")).status_code for _ in range(6)]
        assert statuses == [400] * 5 + [429]

    async def test_many_at_once_gain_nothing(self, portal: Application) -> None:
        action, fields = form_of(await portal.http.get(sign_in_url(Begun())))
        form = {**fields, "login": "maja", "password": "wrong wrong wrong"}
        answers = await asyncio.gather(
            *(portal.http.post(action, data=form, headers=FROM_HERE) for _ in range(12))
        )
        assert sorted(answer.status_code for answer in answers) == [400] * 5 + [429] * 7

    async def test_that_is_right_forgets_the_wrong_ones(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        for _ in range(3):
            for _ in range(4):
                await tried(portal, "maja", "wrong wrong wrong")
            assert "code" in answered(await tried(portal))

    async def test_of_one_address_is_limited_whoever_is_tried(self, portal: Application) -> None:
        async with portal.database.transaction() as tx:
            waits = [
                await attempts.begin_attempt(tx, login=f"p{number}", address="192.0.2.1", at=NOW)
                for number in range(31)
            ]
            other = await attempts.begin_attempt(tx, login="p0", address="192.0.2.2", at=NOW)
        assert waits[:30] == [None] * 30
        assert waits[30] == 900
        assert other is None

    async def test_addresses_of_one_ipv6_household_are_one(self, portal: Application) -> None:
        async with portal.database.transaction() as tx:
            for number in range(30):
                address = f"2001:db8:1:2::{number:x}"
                await attempts.begin_attempt(tx, login=f"p{number}", address=address, at=NOW)
            same = await attempts.begin_attempt(tx, login="x", address="2001:db8:1:2:ffff::1", at=NOW)
            other = await attempts.begin_attempt(tx, login="y", address="2001:db8:1:3::1", at=NOW)
        assert (same, other) == (900, None)

    async def test_never_stands_in_a_row_of_what_happened(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        await tried(portal, "maja", "wrong wrong wrong")
        await tried(portal)
        async with portal.database.transaction() as tx:
            rows = await tx.records("SELECT * FROM sign_in_event ORDER BY id")
        assert [row["kind"] for row in rows] == ["invited", "password-set", "refused", "signed-in"]
        assert len({row["subject"] for row in rows}) == 1
        said = str([dict(row) for row in rows])
        assert not any(word in said for word in (PASSWORD, "wrong wrong wrong", "maja"))
        assert rows[-1]["address"] == "127.0.0.1"


class TestPersonsEnd:
    async def test_a_reset_takes_password_and_sessions_away(self, portal: Application) -> None:
        first = await invited(portal)
        await accepted(portal, first)
        tokens = await signed_in(portal)
        async with portal.database.transaction() as tx:
            link = await invitations.reset(tx, "Maja", issuer=BASE, at=datetime.now(UTC))
        assert not await portal.is_signed_in(tokens)
        assert (await tried(portal)).status_code == 400
        await accepted(portal, link, "quite another sentence")
        before = await portal.userinfo(tokens)
        after = await portal.userinfo(await signed_in(portal, password="quite another sentence"))
        assert (before.status_code, after.status_code) == (401, 200)

    async def test_a_reset_while_the_password_is_looked_at_lets_nobody_in(
        self, portal: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await accepted(portal, await invited(portal))
        is_right = passwords.PasswordChecker.is_right

        async def slowly(checker: passwords.PasswordChecker, password: str, kept: str | None) -> bool:
            right = await is_right(checker, password, kept)
            async with portal.database.transaction() as tx:
                await invitations.reset(tx, "maja", issuer=BASE, at=datetime.now(UTC))
            return right

        monkeypatch.setattr(passwords.PasswordChecker, "is_right", slowly)
        assert (await tried(portal)).status_code == 400
        assert await portal.count("sign_in_session") == 0

    async def test_a_newer_link_ends_the_older(self, portal: Application) -> None:
        first = await invited(portal)
        async with portal.database.transaction() as tx:
            await invitations.reset(tx, "maja", issuer=BASE, at=datetime.now(UTC))
        assert (await portal.http.get(first)).status_code == 410

    async def test_who_is_removed_is_out_at_the_next_request(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        tokens = await signed_in(portal)
        async with portal.database.transaction() as tx:
            await invitations.remove(tx, "maja", at=datetime.now(UTC))
        assert not await portal.is_signed_in(tokens)
        assert (await portal.refresh(tokens["refresh_token"])).status_code == 400
        assert (await tried(portal)).status_code == 400

    async def test_who_gets_a_login_that_was_given_up_is_somebody_else(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        first = (await portal.userinfo(await signed_in(portal))).json()["sub"]
        async with portal.database.transaction() as tx:
            await invitations.remove(tx, "maja", at=datetime.now(UTC))
        await accepted(portal, await invited(portal))
        assert (await portal.userinfo(await signed_in(portal))).json()["sub"] != first

    async def test_signed_out_everywhere_may_sign_in_again(self, portal: Application) -> None:
        await accepted(portal, await invited(portal))
        tokens = [await signed_in(portal), await signed_in(portal)]
        async with portal.database.transaction() as tx:
            assert await invitations.sign_out(tx, "maja", at=datetime.now(UTC)) == 2
            ended = await tx.records("SELECT end_reason FROM sign_in_event WHERE kind = 'ended'")
        assert [row["end_reason"] for row in ended] == ["signed-out", "signed-out"]
        assert [await portal.is_signed_in(one) for one in tokens] == [False, False]
        assert await portal.is_signed_in(await signed_in(portal))

    async def test_nobody_who_was_not_invited_is_removed_reset_or_signed_out(
        self, portal: Application
    ) -> None:
        async with portal.database.transaction() as tx:
            for act in (invitations.remove, invitations.sign_out):
                with pytest.raises(InvitationError, match="nobody was invited as ghost"):
                    await act(tx, "ghost", at=NOW)
            with pytest.raises(InvitationError, match="nobody was invited as ghost"):
                await invitations.reset(tx, "ghost", issuer=BASE, at=NOW)
            assert await queries.invited_people(tx) == []


def test_the_window_is_short_enough_to_wait_for() -> None:
    assert timedelta(minutes=15) >= attempts.WINDOW
