"""The roster as pages: an absence is recorded after whom it concerns was shown, the rest is planned anew."""

import pytest

from tests.support import referrals
from tests.support.browser import Browser
from tests.support.clinic import TestClinic

TUESDAY = "2026-03-03"


async def sent(clinic: TestClinic, number: int = 3) -> None:
    for place in range(number):
        bundle = referrals.bundle(family=f"Tanabe{'abcdef'[place]}")
        answer = await clinic.as_("family-practice").post("/referral/fhir", json=bundle)
        assert answer.status_code == 200, answer.text
        await clinic.settle()


class TestTheRoster:
    async def test_shows_people_hours_rooms_and_closed_days(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        page = await browser.open("/roster")
        assert page.status == 200
        for text in ("Maja Lindqvist", "Mon, Tue, Wed, Thu, Fri 08:00", "(first visits)", "Gym"):
            assert text in page.text, text
        assert "Mon 7 Sep" in page.text

    async def test_is_the_coordinators(self, browser: Browser) -> None:
        await browser.sign_in("physiotherapist")
        for path in ("/roster", "/roster/absence", "/replanning"):
            assert (await browser.open(path)).status == 403

    async def test_speaks_french(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        page = await browser.open("/roster", **{"Accept-Language": "fr-CA,fr;q=0.9"})
        assert "Heures de la semaine" in page.text


class TestAChange:
    async def test_of_hours_is_shown_whom_it_concerns_then_made(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await sent(clinic, 1)
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/change/hours/physiotherapist")
        typed = {"hours.0.from": "12:00", "hours.0.for": "first", "hours.1.days": ["mon"]}
        typed |= {"hours.1.from": "08:00", "hours.1.to": "10:00"}
        shown = await browser.send(form, form.form("roster"), **typed)
        assert "1 visit is concerned" in shown.text
        done = await browser.send(shown, shown.form("roster"), "confirmed")
        assert done.path.endswith("?done=change-roster"), done.text
        page = await browser.open("/roster")
        assert "Mon, Tue, Wed, Thu, Fri 12:00" in page.text
        assert "Mon 08:00" in page.text

    async def test_of_who_takes_new_visits_leaves_what_is_booked(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await sent(clinic, 1)
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/change/schedules/physiotherapist-2")
        assert "Luc Tremblay" in form.text
        wrong = await browser.send(form, form.form("roster"), start="2026-04-02", end="2026-04-01")
        assert "This ends before it begins." in wrong.text
        shown = await browser.send(form, form.form("roster"), gone="yes")
        assert "No visit is concerned." in shown.text
        done = await browser.send(shown, shown.form("roster"), "confirmed")
        assert done.path.endswith("/roster?done=change-roster"), done.text
        assert "Takes no new visits" in done.text
        again = await browser.open("/roster/change/schedules/physiotherapist-2")
        fields = [(name, value) for name, value in again.form("roster").fields if name != "gone"]
        back = await browser.post(str(again.answer.url), [*fields[:-2], ("start", "2026-03-09"), ("end", "")])
        done = await browser.send(back, back.form("roster"), "confirmed")
        assert "Mon 9 Mar" in done.text

    async def test_of_hours_that_overlap_is_refused_in_words(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/change/hours/physiotherapist")
        typed = {"hours.1.days": ["mon"], "hours.1.from": "09:00", "hours.1.to": "10:00"}
        page = await browser.send(form, form.form("roster"), **typed)
        assert page.status == 409
        assert "would have hours twice at the same time" in page.text

    async def test_of_how_long_a_first_visit_is_counts_for_the_next(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/change/programmes/rapid-access")
        minutes = next(name for name, _ in form.form("roster").fields if name.endswith(".minutes"))
        shown = await browser.send(form, form.form("roster"), **{minutes: "45"})
        assert "No visit is concerned." in shown.text, shown.text
        done = await browser.send(shown, shown.form("roster"), "confirmed")
        assert done.path == "/roster?done=change-roster"
        assert clinic.workers["scheduling"].runtime.clinic.programme("rapid-access").first.minutes == 45
        again = await browser.send(form, form.form("roster"), **{minutes: "7"})
        assert again.status == 422
        assert "first.minutes" in again.text

    async def test_that_says_too_little_is_said_beside_the_field(self, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/change/hours/physiotherapist")
        page = await browser.send(form, form.form("roster"), **{"hours.1.from": "09:00"})
        assert page.status == 422
        assert "This is needed." in page.text

    async def test_of_a_room_or_a_person_and_a_new_one_of_each(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        for path, typed in (
            ("/roster/change/rooms/gym", {"name": "Big gym"}),
            ("/roster/new/rooms?site=toronto", {"name": "Blue room", "kind": "treatment"}),
            ("/roster/change/people/physiotherapist-2", {"gone": "yes"}),
            (
                "/roster/new/people",
                {
                    "given": "Nora",
                    "family": "Berger",
                    "email": "nora@harbour-spine.example",
                    "discipline": "physiotherapy",
                },
            ),
        ):
            form = await browser.open(path)
            shown = await browser.send(form, form.form("roster"), **typed)
            assert "No visit is concerned." in shown.text, shown.text
            done = await browser.send(shown, shown.form("roster"), "confirmed")
            assert done.path.endswith("?done=change-roster"), done.text
        await clinic.settle()
        page = await browser.open("/roster")
        for text in ("Big gym", "Blue room", "Nora Berger"):
            assert text in page.text
        assert "Luc Tremblay" not in page.text
        left = clinic.as_("physiotherapist-2")
        for service in ("referral", "scheduling", "careteam", "notifications"):
            assert (await left.get(f"/{service}/fhir/Practitioner/gym")).status_code == 403
        for worker in clinic.workers.values():
            assert worker.runtime.clinic.person("nora-berger").email == "nora@harbour-spine.example"


class TestSomebodyIsAway:
    async def test_is_shown_whom_it_concerns_then_recorded_then_planned_anew(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await sent(clinic)
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/absence?of=physiotherapist")
        typed = {"from": TUESDAY, "to": TUESDAY, "comment": "A migraine."}
        shown = await browser.send(form, form.form("absence"), **typed)
        assert "Nothing is changed yet." in shown.text
        assert "2 visits are concerned" in shown.text
        assert (await browser.open("/replanning")).text.count("Ask the patient") == 0

        done = await browser.send(shown, shown.form("absence"), "confirmed")
        await clinic.settle()
        assert done.path == "/replanning?done=record-absence"
        assert done.text.count("Ask the patient") > 0
        roster = await browser.open("/roster")
        assert "A migraine." in roster.text

        while done.forms and any(form.id.startswith("visit-") for form in done.forms):
            first = next(form for form in done.forms if form.id.startswith("visit-"))
            done = await browser.send(done, first, "time")
            assert done.path == "/replanning?done=move", done.text
            await clinic.settle()
        assert "Every visit fits." in (await browser.open("/replanning")).text

    async def test_is_taken_back(self, clinic: TestClinic, browser: Browser) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/absence?of=physiotherapist")
        shown = await browser.send(form, form.form("absence"), **{"from": TUESDAY, "to": TUESDAY})
        assert "No visit is concerned." in shown.text
        done = await browser.send(shown, shown.form("absence"), "confirmed")
        assert done.path == "/roster?done=record-absence"
        page = await browser.open(done.link_to("/roster/absences/"))
        gone = await browser.send(page, page.form("back"))
        assert gone.path == "/roster?done=take-back"
        assert (await browser.open(page.path)).status == 404

    @pytest.mark.parametrize(
        ("typed", "text"),
        [
            ({"from": TUESDAY, "to": "2026-03-01"}, "This ends before it begins."),
            ({"from": "3.3.26", "to": TUESDAY}, "Write the day as year-month-day"),
            ({"from": TUESDAY}, "This is needed."),
            ({"from": TUESDAY, "to": TUESDAY, "to_time": "noon"}, "Write the time as hour:minute"),
            ({"from": "2020-01-01", "to": "2020-01-02"}, "it is over"),
        ],
    )
    async def test_that_is_no_time_is_said_beside_the_field_and_keeps_what_was_typed(
        self, browser: Browser, typed: dict[str, str], text: str
    ) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/absence?of=physiotherapist")
        page = await browser.send(form, form.form("absence"), **typed)
        assert text in page.text
        assert page.status == 422
        assert f'value="{typed["from"]}"' in page.html

    async def test_for_an_afternoon_is_from_a_time_to_a_time(
        self, clinic: TestClinic, browser: Browser
    ) -> None:
        await browser.sign_in("coordinator")
        form = await browser.open("/roster/absence?of=physiotherapist")
        typed = {"from": TUESDAY, "to": TUESDAY, "from_time": "13:00", "to_time": "16:00"}
        shown = await browser.send(form, form.form("absence"), **typed)
        await browser.send(shown, shown.form("absence"), "confirmed")
        (away,) = clinic.workers["scheduling"].runtime.clinic.person("physiotherapist").absences
        assert str(away.start_time) == "13:00:00"
        assert str(away.end_time) == "16:00:00"
