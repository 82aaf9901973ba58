"""What happens is shown as it happens, by one stream a browser; what somebody types is never replaced."""

from datetime import datetime, timedelta
from typing import Any

from playwright.async_api import expect

from tests.browser.scene import Scene, hold_first_visit
from tests.browser.site import Site
from tests.support import referrals
from tests.support.clinic import TestClinic

_CHAIR, _MEMBER = "physiatrist", "physiotherapist"
_SECOND = 1_000


class TestNews:
    async def test_shows_a_new_referral_and_a_changed_one_without_a_reload(
        self, site: Site, scene: Scene
    ) -> None:
        visitor = await site.visitor("family-practice")
        await expect(visitor.page.locator("#live")).to_contain_text("Live")
        rows = visitor.page.locator("main tr[data-row]")
        before = await rows.count()
        sent = referrals.bundle(identifier="R-9", family="Newman", health_card="1000000009")
        await site.clinic.as_("family-practice").post("/referral/fhir", json=sent)
        await site.clinic.settle()
        await expect(rows).to_have_count(before + 1)
        await expect(visitor.page.locator("main")).to_contain_text("Newman")
        await _revoke(site.clinic, scene.routine)
        await expect(visitor.page.locator("main")).to_contain_text("Revoked")
        assert await rows.count() == before + 1

    async def test_reaches_eight_tabs_of_a_browser_by_one_stream(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        tabs = [await visitor.tab("/referrals") for _ in range(8)]
        for tab in tabs:
            await expect(tab.locator("#live")).to_contain_text("Live")
        await _revoke(site.clinic, scene.routine)
        for tab in tabs:
            await expect(tab.locator("main")).to_contain_text("Revoked")
        assert (await visitor.tab("/reports")).url.endswith("/reports")

    async def test_comes_beside_what_somebody_types_and_never_over_it(self, site: Site, scene: Scene) -> None:
        typing, deciding = [await site.visitor("workplace-insurer") for _ in range(2)]
        claim = (await typing.links("/claims/"))[0]
        page = await typing.open(claim)
        await expect(page.locator("#live")).to_contain_text("Live")
        await page.fill("textarea#reason", "We need the report of the first visit")
        other = await deciding.open(claim)
        await other.check('input[value="A1"]')
        await other.click("text=Send the decision")
        await expect(page.locator('[data-part="answers"]')).to_contain_text("Approve all of it")
        assert await page.input_value("textarea#reason") == "We need the report of the first visit"

    async def test_ends_within_seconds_of_signing_out_in_another_tab(self, site: Site, scene: Scene) -> None:
        visitor = await site.visitor("family-practice")
        other = await visitor.tab("/referrals")
        await expect(other.locator("#live")).to_contain_text("Live")
        await visitor.page.click("details.me summary")
        await visitor.page.click('form[action="/sign-out"] button')
        await expect(visitor.page.locator("h1")).to_contain_text("Harbour Spine")
        await _revoke(site.clinic, scene.routine)
        await expect(other.locator(".warning")).to_be_visible(timeout=30_000)
        assert "Revoked" not in await other.inner_text("main")


class TestAMeeting:
    async def test_shows_a_decision_to_a_second_browser_within_a_second(
        self, site: Site, scene: Scene
    ) -> None:
        meeting = await _opened_meeting(site.clinic, scene)
        chair = await site.visitor(_CHAIR)
        member = await site.visitor(_MEMBER)
        page = await chair.open(f"/meetings/{meeting}")
        seen = await member.open(f"/meetings/{meeting}")
        await expect(seen.locator("#live")).to_contain_text("Live")
        await page.fill("textarea#decision", "Graded activity first")
        await page.click("text=Decide, next")
        await expect(page.locator("#status")).to_contain_text("Decide: done.")
        await expect(seen.locator("main")).to_contain_text("Graded activity first", timeout=_SECOND)


async def _revoke(clinic: TestClinic, referral: str) -> None:
    said = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueString": "Well again"}]}
    answer = await clinic.as_("family-practice").post(
        f"/referral/fhir/ServiceRequest/{referral}/$revoke", json=said
    )
    assert answer.status_code == 200, answer.text


async def _opened_meeting(clinic: TestClinic, scene: Scene) -> str:
    """Bring a case of the routine referral's team to the next meeting, and open it."""
    await hold_first_visit(clinic, scene.routine)
    await _bring(clinic, scene.routine)
    meeting = await _next_meeting(clinic)
    await clinic.at(datetime.fromisoformat(meeting["start"]) + timedelta(minutes=1))
    came = [{"name": "attended", "valueReference": one["actor"]} for one in meeting["participant"]]
    came += [{"name": "attended", "valueReference": {"reference": f"Practitioner/{_MEMBER}"}}]
    opened = await clinic.as_(_CHAIR).post(
        f"/careteam/fhir/Appointment/{meeting['id']}/$open",
        json={"resourceType": "Parameters", "parameter": came},
    )
    assert opened.status_code == 200, opened.text
    await clinic.settle()
    return str(meeting["id"])


async def _bring(clinic: TestClinic, referral: str) -> None:
    member = clinic.as_(_MEMBER)
    teams = (await member.get("/careteam/fhir/CareTeam")).json()["entry"]
    team = next(one["resource"] for one in teams if one["resource"]["identifier"][0]["value"] == referral)
    case = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {
            "coding": [{"system": "https://lumbar.care/fhir/CodeSystem/task-code", "code": "agenda-item"}]
        },
        "for": team["subject"],
        "basedOn": [{"reference": f"ServiceRequest/{referral}"}],
        "reasonCode": {"text": "Stalled"},
    }
    answer = await member.post("/careteam/fhir/Task", json=case)
    assert answer.status_code == 201, answer.text
    await clinic.settle()


async def _next_meeting(clinic: TestClinic) -> dict[str, Any]:
    found = (await clinic.as_(_CHAIR).get("/careteam/fhir/Appointment?_sort=date")).json()["entry"]
    now = clinic.clock.now()
    coming = [one["resource"] for one in found if datetime.fromisoformat(one["resource"]["start"]) > now]
    return dict(coming[0])
