"""Keys alone, no JavaScript, a session that runs out: pages are used by everybody in every way."""

import re

from playwright.async_api import expect

from services.portal.api.menus import MENUS
from tests.browser.scene import Scene
from tests.browser.site import Site


class TestKeys:
    async def test_lead_through_a_list_and_into_a_row(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        await visitor.page.keyboard.press("j")
        await visitor.page.keyboard.press("j")
        await visitor.page.keyboard.press("Enter")
        await visitor.page.wait_for_url("**/referrals/*")
        await expect(visitor.page.locator("h1")).to_be_visible()

    async def test_go_to_every_page_of_a_menu(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        for entry in MENUS["referrer"]:
            # The first leads to the page that is open: only a navigation says that it was opened anew.
            async with visitor.page.expect_navigation(url=f"**{entry.path}"):
                await visitor.page.keyboard.press("g")
                await visitor.page.keyboard.press(entry.letter)

    async def test_do_nothing_in_a_field_and_when_they_are_off(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        page = await visitor.open("/new-referral")
        await page.click("input#family")
        await page.keyboard.type("gr ?")
        assert page.url.endswith("/new-referral")
        assert await page.input_value("input#family") == "gr ?"
        await page.click("details.me summary")
        async with page.expect_navigation():
            await page.click('button[name="keys"][value="off"]')
        # The key opens the dialog at once where keys act, so there is nothing to wait for.
        await page.keyboard.press("?")
        assert await page.locator("dialog#keys").is_hidden()

    async def test_show_what_they_do(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        await visitor.page.keyboard.press("?")
        await expect(visitor.page.locator("dialog#keys")).to_be_visible()
        await visitor.page.keyboard.press("Escape")
        await expect(visitor.page.locator("dialog#keys")).to_be_hidden()

    async def test_alone_revoke_a_referral(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        page = await visitor.open(f"/referrals/{scene.routine}")
        await page.focus('a[href*="/revoke"]')
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile("/revoke"))
        await page.focus("textarea#reason")
        await page.keyboard.type("The patient is well again")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_contain_text("Revoke: done.")


class TestWithoutJavaScript:
    async def test_a_referral_is_sent_and_revoked(self, site: Site) -> None:
        visitor = await site.visitor("family-practice", script=False)
        page = await visitor.open("/new-referral")
        await page.fill("input#family", "Tanabe")
        await page.fill("textarea#reason", "Back pain")
        await page.click('button[name="send"]')
        await page.wait_for_url("**/referrals/*")
        await site.clinic.settle()
        await page.reload()
        await page.click('a[href*="/revoke"]')
        await page.fill("textarea#reason", "Sent by mistake")
        await page.click("form#act button.main")
        await expect(page.locator("#status")).to_contain_text("Revoke: done.")

    async def test_the_language_changes_in_mid_form(self, site: Site) -> None:
        visitor = await site.visitor("family-practice", script=False)
        page = await visitor.open("/new-referral")
        await page.fill("input#family", "Tanabe")
        await page.check('input[name="weight-loss"][value="Y"]')
        await page.click('button[name="language"]')
        await expect(page.locator("h1")).to_have_text("Nouvelle demande")
        assert await page.input_value("input#family") == "Tanabe"
        assert await page.is_checked('input[name="weight-loss"][value="Y"]')

    async def test_enter_in_a_field_sends_the_form_and_not_the_language(self, site: Site) -> None:
        visitor = await site.visitor("family-practice", script=False)
        page = await visitor.open("/new-referral")
        await page.fill("input#family", "Tanabe")
        await page.press("input#family", "Enter")
        await expect(page.locator("#problems")).to_be_visible()
        assert await page.get_attribute("html", "lang") == "en"


class TestASession:
    async def test_warns_before_its_end_and_one_press_extends_it(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        async with site.clinic.of_portal.transaction() as tx:
            await tx.run("UPDATE session SET machine_ends_at = now() + interval '90 seconds'")
        page = await visitor.open("/referrals")
        await expect(page.locator(".warning")).to_contain_text("signed out in two minutes")
        await page.click(".warning button")
        await expect(page.locator(".warning")).to_have_count(0)

    async def test_is_not_found_again_by_the_back_button_after_signing_out(
        self, site: Site, scene: Scene
    ) -> None:
        visitor = await site.visitor("family-practice")
        await visitor.open("/referrals")
        await visitor.page.click("details.me summary")
        await visitor.page.click('form[action="/sign-out"] button')
        await expect(visitor.page.locator("h1")).to_contain_text("Harbour Spine")
        await visitor.page.go_back()
        assert "Tanabe" not in await visitor.page.inner_text("body")

    async def test_prints_a_referral_without_menus_and_buttons(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        page = await visitor.open(f"/referrals/{scene.routine}")
        await page.emulate_media(media="print")
        assert not await page.is_visible("nav.menu")
        assert not await page.is_visible("main .acts")
        assert await page.is_visible("ol.timeline")
