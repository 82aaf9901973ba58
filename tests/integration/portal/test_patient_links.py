"""What a patient sees behind the link of a message: a birth date, then the visit, and what can be done."""

import re
from datetime import timedelta
from typing import Any

from icalendar import Calendar

from services.notifications.models.rows import KnownVisit
from services.notifications.rules.patient_news import bring
from services.portal.patient_labels import BRING
from shared.fhir.codes import FIRST_KINDS, AppointmentKind
from tests.support.browser import Browser, Seen
from tests.support.clinic import MONDAY, TestClinic
from tests.support.mailbox import Mailbox
from tests.support.patients import call, secret_in, to_patient

BORN = {"born.day": "17", "born.month": "5", "born.year": "1981"}
FRENCH = {"Accept-Language": "fr-CA,fr;q=0.9"}


def page_of(mailbox: Mailbox) -> str:
    return f"/m/{secret_in(to_patient(mailbox)[-1])}"


async def opened(visitor: Browser, mailbox: Mailbox, **headers: str) -> Seen:
    asks = await visitor.open(page_of(mailbox), **headers)
    [form] = [form for form in asks.forms if form.buttons and form.buttons[0][1] == "open"]
    return await visitor.send(asks, form, "act", headers=headers, **BORN)


async def press(visitor: Browser, page: Seen, act: str, **typed: Any) -> Seen:
    assert ("act", act) in page.form("link").buttons
    return await visitor.post(str(page.answer.url), [*page.form("link").filled(typed), ("act", act)])


class TestTheLink:
    async def test_shows_nothing_of_the_visit_before_the_birth_date(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        asks = await visitor.open(page_of(mailbox))
        assert "Your date of birth" in asks.text
        assert not re.search(r"Noor|physio|\d\d:\d\d", asks.text)
        for _ in range(20):
            await visitor.open(page_of(mailbox))
        assert "Toronto" in (await opened(visitor, mailbox)).text

    async def test_is_looked_at_by_a_mail_scanner_without_harm(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        secret = page_of(mailbox).removeprefix("/m/")
        anybody = hearing.anonymous()
        for method in ("GET", "HEAD", "OPTIONS"):
            await anybody.request(method, f"{page_of(mailbox)}?act=declined&born=1981-05-17")
            for act in ("$open", "$answer", "$intake", "$choose", "$calendar"):
                asked = {"token": secret, "birth_date": "1981-05-17", "answer": "declined"}
                await anybody.request(method, f"/notifications/links/{act}", params=asked)
        await hearing.settle()
        assert await hearing.events("appointment.answered") == []
        assert "I am coming" in (await opened(visitor, mailbox)).text

    async def test_says_when_by_the_wall_clock_of_the_site_and_which_that_is(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        assert re.search(r"day \d+ March 2026, \d\d:\d\d\u2013\d\d:\d\d \(Eastern", page.text)
        french = await opened(visitor, mailbox, **FRENCH)
        assert re.search(r"di \d+ mars 2026, \d\d:\d\d\u2013\d\d:\d\d \(heure", french.text)
        assert "Je viens" in french.text

    async def test_asks_again_for_a_date_that_is_none_and_costs_no_try_for_it(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        asks = await visitor.open(page_of(mailbox))
        [form] = [form for form in asks.forms if form.buttons and form.buttons[0][1] == "open"]
        for _ in range(6):
            again = await visitor.send(asks, form, "act", **{**BORN, "born.day": "31", "born.month": "2"})
            assert again.status == 422
            assert "Write the day and the year" in again.text
        wrong = await visitor.send(asks, form, "act", **{**BORN, "born.day": "18"})
        assert (wrong.status, "does not open" in wrong.text) == (403, True)
        assert (await opened(visitor, mailbox)).status == 200

    async def test_that_was_never_ours_says_so_with_a_number_to_call(
        self, hearing: TestClinic, visitor: Browser
    ) -> None:
        asks = await visitor.open("/m/nothing-of-ours")
        [form] = [form for form in asks.forms if form.buttons and form.buttons[0][1] == "open"]
        page = await visitor.send(asks, form, "act", **BORN)
        assert (page.status, "This link has ended" in page.text) == (404, True)
        assert "416-555-0100" in page.text

    async def test_is_not_acted_on_from_another_site(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        answer = await hearing.anonymous().post(
            page_of(mailbox),
            data={"born": "1981-05-17", "act": "declined"},
            headers={"Origin": "https://evil.example"},
        )
        assert answer.status_code == 403
        await hearing.settle()
        assert await hearing.events("appointment.answered") == []

    async def test_is_kept_by_nobody_on_the_way(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        answer = await hearing.anonymous().get(page_of(mailbox))
        kept = {name: answer.headers[name] for name in ("cache-control", "referrer-policy", "x-robots-tag")}
        assert kept == {
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
            "x-robots-tag": "noindex",
        }


class TestAPatient:
    async def test_says_that_they_come(self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox) -> None:
        done = await press(visitor, await opened(visitor, mailbox), "accepted")
        assert "Thank you, it is noted." in done.text
        assert "You answered: I am coming" in done.text
        assert not [form for form in done.forms if any(value == "declined" for _, value in form.buttons)]

    async def test_asks_for_another_time_in_their_words(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        done = await press(
            visitor,
            await opened(visitor, mailbox),
            "tentative",
            **{"comment.tentative": "Matins, dès 8 h <b>"},
        )
        assert "I need another time · Matins, dès 8 h <b>" in done.text
        await hearing.settle()
        worklist = await hearing.as_("coordinator").get("/scheduling/worklist?kind=tell")
        assert "asks for another time" in worklist.text

    async def test_takes_the_visit_into_a_calendar(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        answer = await hearing.anonymous().post(
            page_of(mailbox),
            data={"born": "1981-05-17", "act": "calendar"},
            headers={"Origin": hearing.base_url},
        )
        assert answer.headers["content-type"].startswith("text/calendar")
        assert str(Calendar.from_ical(answer.content).walk("VEVENT")[0]["SUMMARY"]) == "Appointment"

    async def test_chooses_when_to_be_reminded(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        done = await press(visitor, page, "choose", reminder="1")
        assert re.search(r'value="1" checked', done.html)
        assert not re.search(r'value="7" checked', done.html)


def test_everything_to_bring_has_its_words() -> None:
    start = MONDAY
    for kind in AppointmentKind:
        visit = KnownVisit(
            id="v",
            referral_id="r",
            patient_id="p",
            site="toronto",
            kind=kind,
            starts_at=start,
            ends_at=start + timedelta(hours=1),
            status="booked",
        )
        assert set(bring(visit)) <= BRING.keys()
        assert ("records" in bring(visit)) is (kind in FIRST_KINDS)


class TestTheForm:
    async def test_keeps_what_was_typed_when_the_language_changes(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        asks = await visitor.open(page_of(mailbox))
        day = BORN["born.day"]
        french = await visitor.post(page_of(mailbox), [("born.day", day), ("language", "fr")])
        assert (french.status, "Votre date de naissance" in french.text) == (200, True)
        assert french.form("link").fields[0] == ("born.day", day)
        assert "Your date of birth" in asks.text
        page = await visitor.send(french, french.form("link"), "act", **BORN)
        typed = {
            "comment.declined": "Grippe; étage 2",
            "intake.pain-now": "7,5",
            "intake.goal": "Walk\r\nagain <b>",
            "reminder": "1",
        }
        fields = [*page.form("link").filled(typed), ("language", "en")]
        english = await visitor.post(page_of(mailbox), fields)
        assert "Before your first visit" in english.text
        kept = dict(english.form("link").fields)
        assert {name: kept[name] for name in typed} == typed
        assert ("reminder", "7") not in english.form("link").fields
        assert await hearing.events("intake.answered") == []

    async def test_says_beside_the_field_what_cannot_be_sent_and_sends_nothing(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        wrong = {
            "11": "Write a whole number from 0 to 10.",
            "strong": "Write a whole number from 0 to 10.",
            "-1": "Write a whole number from 0 to 10.",
            " ": "Answer one question at least.",
        }
        for pain, said in wrong.items():
            again = await press(visitor, page, "intake", **{"intake.pain-now": pain})
            assert (again.status, said in again.text) == (422, True), pain
            assert dict(again.form("link").fields)["intake.pain-now"] == pain.strip()
        long = {"comment.tentative": "é" * 1001, "intake.goal": "Walk"}
        again = await press(visitor, page, "tentative", **long)
        assert (again.status, "Write 1,000 characters at most." in again.text) == (422, True)
        assert dict(again.form("link").fields).items() >= long.items()
        await hearing.settle()
        assert await hearing.events("intake.answered") == []
        assert await hearing.events("appointment.answered") == []

    async def test_counts_the_end_of_a_line_once(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        lines = "a\r\n" * 499 + "aa"
        done = await press(
            visitor, await opened(visitor, mailbox), "tentative", **{"comment.tentative": lines}
        )
        assert (done.status, "You answered" in done.text) == (200, True)

    async def test_opens_in_the_language_of_its_message(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        asks = await visitor.open(f"{page_of(mailbox)}?lang=fr")
        assert "Votre date de naissance" in asks.text
        assert "Je viens" in (await visitor.send(asks, asks.form("link"), "act", **BORN)).text
        english = await visitor.post(f"{page_of(mailbox)}?lang=fr", [("language", "en")])
        assert "Your date of birth" in english.text
        assert "Your date of birth" in (await visitor.open(f"{page_of(mailbox)}?lang=fr")).text


class TestTheIntakeForm:
    async def test_is_filled_in_once_and_read_by_the_team(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        page = await opened(visitor, mailbox)
        typed = {"intake.pain-now": "7", "intake.medicines": "Ibuprofen 400 mg, trois à la fois <b>"}
        done = await press(visitor, page, "intake", **typed)
        assert "Your team has your answers." in done.text
        await hearing.settle()
        patients = (await hearing.as_("coordinator").get("/referral/fhir/Patient")).json()
        patient = patients["entry"][0]["resource"]["id"]
        async with hearing.anonymous() as http:
            desk = Browser(http)
            await desk.sign_in("physiotherapist")
            read = await desk.open(f"/patients/{patient}")
            assert "Ibuprofen 400 mg, trois à la fois <b>" in read.text
            assert "Before the first visit the patient wrote" in read.text
        again = await press(visitor, page, "intake", **{"intake.goal": "Another"})
        assert "Your team has your answers." in again.text
        await hearing.settle()
        assert len(await hearing.events("intake.answered")) == 1

    async def test_without_an_answer_or_with_a_wrong_one_is_not_taken(
        self, hearing: TestClinic, visitor: Browser, mailbox: Mailbox
    ) -> None:
        secret = page_of(mailbox).removeprefix("/m/")
        for answers in ({}, {"goal": "  "}, {"pain-now": 11}, {"pain-now": "7"}, {"score": 3}, {"goal": 1}):
            refused = await call(hearing, "$intake", secret, answers=answers)
            assert refused.status_code == 422, (answers, refused.text)
        assert await hearing.events("intake.answered") == []
