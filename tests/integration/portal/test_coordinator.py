"""A coordinator's pages: finding somebody, entering what came by fax, the promise, what is written."""

from datetime import timedelta

import pytest

from tests.integration.portal.test_referrer import COMPLETE
from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic


@pytest.fixture
async def referred(clinic: TestClinic) -> None:
    """Let a patient with an accent in the name be referred."""
    bundle = referrals.bundle(family="Étienne-Bouchard", health_card="1234567890")
    await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
    await clinic.settle()


@pytest.mark.usefixtures("referred")
class TestFindingAPatient:
    @pytest.mark.parametrize("text", ["etienne", "bouch", "1980-05-17", "1234567890"])
    async def test_works_by_any_part_of_what_is_known_and_leaves_it_in_no_address(
        self, browser: Browser, text: str
    ) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/patients")
        found = await browser.send(page, page.form("search"), q=text)
        assert "Étienne-Bouchard" in found.text
        assert found.path == "/patients"

    async def test_needs_two_letters(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        page = await browser.open("/patients")
        assert "Two letters or more" in (await browser.send(page, page.form("search"), q="e")).text

    async def test_finds_nobody_of_another_team(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=psychologist")
        page = await browser.open("/patients")
        found = await browser.send(page, page.form("search"), q="etienne")
        assert "Nobody whom you may see was found." in found.text


class TestEnteringAReferral:
    async def test_makes_it_the_senders_own(self, clinic: TestClinic, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        form = await browser.open("/enter-referral")
        entered = {**COMPLETE, "requester": "family-practice", "way": "fax", "arrived": "2026-02-27"}
        done = await browser.send(form, form.form("referral"), "send", **entered)
        assert done.path.startswith("/referrals/"), done.text
        await clinic.settle()
        sender = Browser(clinic.anonymous())
        assert "Tanabe, Yuki" in (await sender.sign_in("family-practice")).text

    async def test_asks_who_sent_it_and_how_it_came(self, clinic: TestClinic, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        form = await browser.open("/enter-referral")
        refused = await browser.send(form, form.form("referral"), "send", **COMPLETE)
        assert refused.status == 422
        assert "requester-wrong" in refused.html
        assert "way-wrong" in refused.html
        found = await clinic.as_("coordinator").get("/referral/fhir/ServiceRequest")
        assert found.json()["total"] == 0


@pytest.mark.usefixtures("referred")
class TestThePromise:
    async def test_shows_whom_it_is_for_and_the_visit_that_keeps_it(self, browser: Browser) -> None:
        await browser.open("/sign-in?person=coordinator")
        board = await browser.open("/four-weeks")
        assert "Étienne-Bouchard" in board.text
        assert "Rapid access low back pain assessment" in board.text
        assert "Tue 3 Mar 08:00" in board.text


@pytest.mark.usefixtures("referred")
class TestAVisit:
    async def test_is_moved_to_another_time_of_the_wall_clock(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment")
        visit = found.json()["entry"][0]["resource"]
        await browser.open("/sign-in?person=coordinator")
        form = await browser.open(f"/do/scheduling/Appointment/{visit['id']}/move?back=/four-weeks")
        wrong = await browser.send(form, form.form("act"), start="11/03/2026 10:00")
        assert "Write the time as year-month-day" in wrong.text
        done = await browser.send(wrong, wrong.form("act"), start="2026-03-05T13:00")
        assert "Move: done." in done.text, done.text
        read = await clinic.as_("coordinator").get(f"/scheduling/fhir/Appointment/{visit['id']}")
        assert read.json()["start"] == "2026-03-05T18:00:00Z"

    async def test_that_somebody_else_changed_is_not_changed_over(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        coordinator = clinic.as_("coordinator")
        visit = (await coordinator.get("/scheduling/fhir/Appointment")).json()["entry"][0]["resource"]
        await browser.open("/sign-in?person=coordinator")
        form = await browser.open(f"/do/scheduling/Appointment/{visit['id']}/move?back=/four-weeks")
        version = {"If-Match": f'W/"{visit["meta"]["versionId"]}"'}
        cancelled = {**visit, "status": "cancelled", "cancelationReason": {"text": "Away"}}
        code = [{"system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"}]
        cancelled["cancelationReason"]["coding"] = [code[0] | {"code": "pat"}]
        answer = await coordinator.put(
            f"/scheduling/fhir/Appointment/{visit['id']}", json=cancelled, headers=version
        )
        assert answer.status_code == 200, answer.text
        late = await browser.send(form, form.form("act"), start="2026-03-05T13:00")
        assert late.status == 412
        assert "This was not done" in late.text
        read = await coordinator.get(f"/scheduling/fhir/Appointment/{visit['id']}")
        assert read.json()["status"] == "cancelled"


class TestToday:
    async def test_puts_an_emergency_that_nobody_confirmed_first(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        sender = clinic.as_("family-practice")
        await sender.post("/referral/fhir", json=referrals.bundle(family="Early", identifier="1"))
        flagged = referrals.ANSWERS | {"saddle-anaesthesia": "Y"}
        await sender.post(
            "/referral/fhir", json=referrals.bundle(family="Wong", identifier="2", answers=flagged)
        )
        await clinic.settle()
        await clinic.at(clinic.clock.now() + timedelta(minutes=20))
        seen = await browser.sign_in("coordinator")
        assert seen.path == "/today"
        assert "Telephone the sender" in seen.text
        assert seen.text.index("Wong") < seen.text.index("Promises the promise")
        assert "1 overdue or an emergency" in seen.text
        assert "Cannot be read now." not in seen.text, seen.text

    async def test_shows_each_promise_with_the_day_of_its_priority(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        sender = clinic.as_("family-practice")
        for family, priority in (("Routine", "routine"), ("Sooner", "urgent")):
            sent = referrals.bundle(family=family, identifier=family)
            referrals.resource(sent, "ServiceRequest")["priority"] = priority
            await sender.post("/referral/fhir", json=sent)
        await clinic.settle()
        await browser.sign_in("coordinator")
        board = (await browser.open("/four-weeks")).text
        first, last = board.index("Sooner"), board.index("Routine")
        assert first < last
        assert "Urgent ·" in board[first:last]
        assert "Urgent ·" not in board[last:]
        assert "promised by Thu 12 Mar" in board[:first]

    async def test_counts_what_waits_and_shows_one_kind_alone(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        sender = clinic.as_("family-practice")
        asked = referrals.ANSWERS | {"cancer-history": "Y"}
        await sender.post("/referral/fhir", json=referrals.bundle(family="Hansen", answers=asked))
        silent = {**referrals.ANSWERS, "onset-date": None}
        await sender.post(
            "/referral/fhir", json=referrals.bundle(family="Silent", identifier="2", answers=silent)
        )
        await clinic.settle()
        await browser.sign_in("coordinator")
        triage = await browser.open("/triage")
        assert "Hansen" in triage.text
        assert "Silent" in triage.text
        assert "Look at the referral 1" in triage.text
        kind = await browser.open(triage.link_to("kind=review-referral"))
        assert (kind.status, "Hansen" in kind.text, "Silent" in kind.text) == (200, True, False)
        assert (await browser.open("/triage?kind=nonsense")).status == 404


@pytest.mark.usefixtures("referred")
class TestTheCalendar:
    async def test_shows_a_visit_by_clinician_and_by_room(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        for by in ("clinician", "room"):
            week = await browser.open(f"/calendar?week=2026-03-04&by={by}")
            assert "Étienne-Bouchard" in week.text, by
            assert "free" in week.text, by

    async def test_leads_to_a_visit_that_is_called_off_there(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        week = await browser.open("/calendar?week=2026-03-04")
        visit = await browser.open(week.link_to("/visits/"))
        assert "First visit: Étienne-Bouchard" in visit.text
        assert "Assessment room 1" in visit.text
        cancel = await browser.open(visit.link_to("/cancel"))
        said = {"cancelationReason.code": "prov", "cancelationReason": "The clinician is ill"}
        done = await browser.post(str(cancel.answer.url), cancel.form("act").filled(said))
        assert "Cancel: done." in done.text, done.text
        assert "The clinician is ill" in done.text
        assert done.path.startswith(visit.path)

    async def test_shows_no_visit_to_a_clinician_of_another_team(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        found = await clinic.as_("coordinator").get("/scheduling/fhir/Appointment")
        await browser.sign_in("psychologist")
        visit = found.json()["entry"][0]["resource"]["id"]
        assert (await browser.open(f"/visits/{visit}")).status == 404


class TestAnAddress:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/waitlist?after=cut", 404),
            ("/triage?after=cut", 404),
            ("/four-weeks?after=cut", 404),
            ("/four-weeks?status=cut", 404),
            ("/messages?after=cut", 404),
            ("/calendar?week=9999-12-31", 200),
            ("/calendar?week=0001-01-01", 200),
            ("/calendar?week=cut", 200),
            ("/patients/cut", 404),
            ("/meetings/cut", 404),
        ],
    )
    async def test_that_was_cut_or_guessed_leads_nowhere_and_blames_no_service(
        self, browser: Browser, path: str, status: int
    ) -> None:
        await browser.sign_in("coordinator")
        seen = await browser.open(path)
        assert seen.status == status
        assert "Cannot be read now." not in seen.text
