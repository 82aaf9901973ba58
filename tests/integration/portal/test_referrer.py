"""A referrer's pages: what was sent and where it stands, a new referral, an answer to the clinic."""

import pytest

from tests.support import referrals
from tests.support.browser import Browser, Seen
from tests.support.clinic import TestClinic

NO_FLAG = dict.fromkeys(
    [
        *("saddle_anaesthesia", "bladder_disturbance", "bowel_incontinence", "bilateral_leg_deficit"),
        *("sexual_dysfunction", "progressive_deficit", "significant_trauma", "infection_signs"),
        *("fracture_suspected", "cancer_history", "weight_loss", "night_pain"),
        *("chronic_multisite_pain", "opioid_dependency"),
    ],
    "N",
)
COMPLETE = {
    "family": "Tanabe",
    "given": "Yuki",
    "birth_date": "1980-05-17",
    "card": "1234567890",
    "phone": "+1 416 555 0100",
    "reason": "Low back pain for three months",
    "payer": "public",
    "onset_date": "2025-12-01",
    "episode": "first",
    "claim_workplace": "none",
    "claim_motor": "none",
    "claim_legal": "none",
    "pregnancy": "no",
    **NO_FLAG,
}


@pytest.fixture
async def form(browser: Browser) -> Seen:
    """Open the form of a new referral as the family practice."""
    await browser.sign_in("family-practice")
    return await browser.open("/new-referral")


async def sent(clinic: TestClinic) -> int:
    found = await clinic.as_("family-practice").get("/referral/fhir/ServiceRequest")
    return int(found.json()["total"])


class TestANewReferral:
    async def test_is_sent_from_the_form_and_booked(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        seen = await browser.send(form, form.form("referral"), "send", **COMPLETE)
        assert seen.path.startswith("/referrals/"), seen.text
        await clinic.settle()
        seen = await browser.open(seen.path)
        assert "Tanabe, Yuki" in seen.text
        assert "Booked" in seen.text

    async def test_is_checked_without_being_sent(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        seen = await browser.send(form, form.form("referral"), "check", **COMPLETE)
        assert "It would be accepted." in seen.text
        seen = await browser.send(seen, seen.form("referral"), "check", saddle_anaesthesia="Y")
        assert "must go to an emergency department today" in seen.text
        assert await sent(clinic) == 0

    async def test_sent_twice_is_one_referral_and_both_answers_name_it(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        seen = [await browser.send(form, form.form("referral"), "send", **COMPLETE) for _ in range(2)]
        assert seen[0].path == seen[1].path
        assert await sent(clinic) == 1

    async def test_is_refused_beside_the_field_and_keeps_what_was_typed(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        wrong = {**COMPLETE, "birth_date": "13/14/1980", "family": ""}
        seen = await browser.send(form, form.form("referral"), "send", **wrong)
        assert seen.status == 422
        assert 'aria-describedby="birth-date-wrong"' in seen.html
        assert 'aria-describedby="family-wrong"' in seen.html
        assert "Low back pain for three months" in seen.html
        assert await sent(clinic) == 0

    async def test_is_kept_as_a_draft_that_nobody_else_sees(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        await browser.send(form, form.form("referral"), "save", family="Tanabe", reason="Back pain")
        again = await browser.open("/new-referral")
        assert "What you had typed stands here again" in again.text
        assert ("family", "Tanabe") in again.form("referral").fields
        other = Browser(clinic.anonymous())
        await other.sign_in("second-practice")
        assert "Tanabe" not in (await other.open("/new-referral")).html

    async def test_changes_the_language_in_mid_form_without_losing_an_answer(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        filled = form.form("referral").filled({"family": "Tanabe", "weight-loss": "Y"})
        seen = await browser.post(str(form.answer.url), [*filled, ("language", "fr")])
        assert 'lang="fr"' in seen.html
        assert "Signaux d'alarme" in seen.text
        assert {("family", "Tanabe"), ("weight-loss", "Y")} <= set(seen.form("referral").fields)
        assert 'lang="fr"' in (await browser.open("/referrals")).html
        assert await sent(clinic) == 0

    async def test_is_not_taken_from_a_page_of_another_site_nor_without_the_token_of_the_session(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        fields = form.form("referral").filled({"family": "Tanabe", "reason": "Pain"}, "send")
        address = str(form.answer.url)
        foreign = await browser.post(address, fields, headers={"Sec-Fetch-Site": "cross-site"})
        stolen = [(name, "0" * 64 if name == "csrf" else value) for name, value in fields]
        forged = await browser.post(address, stolen)
        assert (foreign.status, forged.status) == (403, 403)
        assert await sent(clinic) == 0

    async def test_keeps_the_words_of_who_was_signed_out_meanwhile(
        self, clinic: TestClinic, browser: Browser, form: Seen
    ) -> None:
        async with clinic.of_portal.transaction() as tx:
            await tx.run("UPDATE session SET machine_ends_at = machine_ends_at - interval '1 day'")
        seen = await browser.send(form, form.form("referral"), "send", **COMPLETE)
        assert seen.path.startswith("/auth/")
        back = await browser.open("/sign-in?person=family-practice&next=/new-referral")
        assert ("reason", "Low back pain for three months") in back.form("referral").fields
        assert await sent(clinic) == 0


class TestAReferral:
    async def test_shows_what_happened_why_and_whose_turn_it_is(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        bundle = referrals.bundle(answers={"saddle-anaesthesia": None})
        await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
        await clinic.settle()
        seen = await browser.sign_in("family-practice")
        assert "1 needs you" in seen.text
        one = await browser.open(seen.link_to("/referrals/0"))
        assert "Your turn" in one.text
        answers = await browser.open(one.link_to("/answers"))
        done = await browser.send(answers, answers.form("referral"), **NO_FLAG)
        assert "Add information: done." in done.text, done.text

    async def test_of_another_practice_is_not_there(self, clinic: TestClinic, browser: Browser) -> None:
        await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle())
        await clinic.settle()
        seen = await browser.sign_in("family-practice")
        path = seen.link_to("/referrals/0")
        other = Browser(clinic.anonymous())
        await other.sign_in("second-practice")
        assert (await other.open(path)).status == 404

    async def test_is_revoked_with_a_reason_and_not_without(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle())
        await clinic.settle()
        seen = await browser.sign_in("family-practice")
        one = await browser.open(seen.link_to("/referrals/0"))
        act = await browser.open(one.link_to("/revoke"))
        refused = await browser.send(act, act.form("act"), reason="  ")
        assert "This is needed." in refused.text
        done = await browser.send(refused, refused.form("act"), reason="The patient is well again")
        assert "Revoke: done." in done.text
        assert "Revoked" in done.text

    async def test_of_a_service_that_is_away_stands_without_its_part(
        self, clinic: TestClinic, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await clinic.as_("family-practice").post("/referral/fhir", json=referrals.bundle())
        await clinic.settle()
        seen = await browser.sign_in("family-practice")
        await clinic.databases["scheduling"].close()
        monkeypatch.setattr(clinic.databases["scheduling"], "url", "postgresql://127.0.0.1:1/none")
        one = await browser.open(seen.link_to("/referrals/0"))
        assert one.status == 200
        assert "Cannot be read now." in one.text
        assert "What happened" in one.text
