"""A patient hears of visits by the channels that they permit, and answers by the link of a message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from shared.fhir.codes import CONFIRMED_EXTENSION
from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.journeys.stage import play
from tests.support.clinic import MONDAY, TestClinic
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.patients import (
    booked,
    call,
    call_off,
    files_of,
    kept,
    move,
    refer,
    secret_in,
    telephone_list,
    to_patient,
    told_patient,
    visit_now,
)
from tests.support.sql import sql


@asynccontextmanager
async def reachable() -> AsyncIterator[tuple[TestClinic, Mailbox, dict[str, Any]]]:
    """Give a clinic, a mailbox, and the first visit of a patient who permits e-mail and was told of it."""
    async with open_mailbox() as mailbox, TestClinic(mailbox=mailbox) as clinic:
        yield clinic, mailbox, await told_patient(clinic)


async def reminders_of(clinic: TestClinic) -> list[Any]:
    return [row for row in await kept(clinic, "notification") if row.event_type == "visit.reminder"]


class TestALetter:
    async def test_says_nothing_and_its_link_asks_for_the_birth_date(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            [letter] = to_patient(mailbox)
            assert letter["Subject"] == "There is a message for you"
            for word in ("Noor", "physio", visit["start"][:10], "Harbour", "Toronto"):
                assert word not in letter.as_string(), word
            secret = secret_in(letter)
            opened = await call(clinic, "$open", secret)
            assert opened.status_code == 200, opened.text
            shown = opened.json()
            assert (shown["visit"]["start"], shown["site"]["time_zone"]) == (
                visit["start"],
                "America/Toronto",
            )
            assert shown["asks"]
            assert opened.headers["cache-control"] == "no-store"

    async def test_keeps_no_secret_but_its_hash(self) -> None:
        async with reachable() as (clinic, mailbox, _):
            secret = secret_in(to_patient(mailbox)[0])
            for service, database in clinic.databases.items():
                async with database.transaction() as tx:
                    tables = await sql(tx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                    for row in tables:
                        found = await sql(tx, f"SELECT {row.tablename}::text AS it FROM {row.tablename}")
                        assert not any(secret in one.it for one in found), (service, row.tablename)

    async def test_is_not_sent_to_who_permits_no_channel(self) -> None:
        async with open_mailbox() as mailbox, TestClinic(smtp_url=mailbox.url) as clinic:
            await refer(clinic)
            await clinic.days(1)
            await move(clinic, await booked(clinic))
            assert to_patient(mailbox) == []

    async def test_goes_no_more_once_consent_is_withdrawn(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            found = await clinic.as_("coordinator").get("/referral/fhir/Patient")
            patient = found.json()["entry"][0]["resource"]["id"]
            await correct(clinic, patient, extension=[consent("email", permitted=False, on="2026-03-03")])
            await move(clinic, visit)
            assert len(to_patient(mailbox)) == 1


class TestAnAnswer:
    async def test_confirms_the_visit_for_the_team_to_see(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            answer = await call(clinic, "$answer", secret_in(to_patient(mailbox)[0]), answer="accepted")
            assert answer.status_code == 200, answer.text
            await clinic.settle()
            now = await visit_now(clinic, visit)
            assert {"url": CONFIRMED_EXTENSION, "valueBoolean": True} in now["extension"]
            assert now["status"] == "booked"

    async def test_that_the_patient_cannot_come_calls_the_visit_off_and_finds_another(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            secret = secret_in(to_patient(mailbox)[0])
            await call(clinic, "$answer", secret, answer="declined", comment="I am away")
            await clinic.settle()
            now = await visit_now(clinic, visit)
            assert now["status"] == "cancelled"
            assert now["cancelationReason"]["coding"][0]["code"] == "pat-cpp"
            await clinic.days(1)
            assert (await booked(clinic))["id"] != visit["id"]

    async def test_asking_for_another_time_keeps_the_visit_and_asks_a_person_to_telephone(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            secret = secret_in(to_patient(mailbox)[0])
            await call(clinic, "$answer", secret, answer="tentative", comment="Mornings are better")
            await clinic.settle()
            assert (await visit_now(clinic, visit))["status"] == "booked"
            [task] = await telephone_list(clinic)
            assert task["focus"]["reference"] == f"Appointment/{visit['id']}"
            assert task["note"] == [{"text": "Mornings are better"}]
            assert "asks for another time" in task["statusReason"]["text"]
            await move(clinic, visit)
            # The new time is told by a letter: nobody is left to be telephoned.
            assert await telephone_list(clinic) == []

    async def test_that_is_repeated_gets_the_first_one_again(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            secret = secret_in(to_patient(mailbox)[0])
            first = await call(clinic, "$answer", secret, answer="accepted")
            again = await call(clinic, "$answer", secret, answer="declined")
            assert (again.status_code, again.json()) == (200, first.json())
            await clinic.settle()
            assert (await visit_now(clinic, visit))["status"] == "booked"
            assert len(await clinic.events("appointment.answered")) == 1

    async def test_by_an_old_letter_about_a_time_that_is_no_more_is_refused(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            await move(clinic, visit)
            old, new = (secret_in(letter) for letter in to_patient(mailbox))
            refused = await call(clinic, "$answer", old, answer="declined")
            assert refused.status_code == 409, refused.text
            assert not (await call(clinic, "$open", old)).json()["stands"]
            assert (await call(clinic, "$open", new)).json()["asks"]

    async def test_sent_twenty_times_at_once_is_one(self) -> None:
        async with reachable() as (clinic, mailbox, _):
            secret = secret_in(to_patient(mailbox)[0])
            answers = ["accepted", "declined"] * 10
            got = await asyncio.gather(*(call(clinic, "$answer", secret, answer=one) for one in answers))
            assert {one.status_code for one in got} == {200}
            assert len({one.json()["answer"]["answer"] for one in got}) == 1
            assert len(await clinic.events("appointment.answered")) == 1


class TestALinkRefuses:
    async def test_a_wrong_birth_date_five_times_and_then_the_right_one(self) -> None:
        async with reachable() as (clinic, mailbox, _):
            secret = secret_in(to_patient(mailbox)[0])
            for left in (4, 3, 2, 1, 0):
                refused = await call(clinic, "$open", secret, birth_date="1981-05-18")
                assert refused.status_code == 403
                assert f"{left} more" in refused.text
            assert (await call(clinic, "$open", secret)).status_code == 410
            assert (await call(clinic, "$answer", secret, answer="accepted")).status_code == 410
            assert await clinic.events("appointment.answered") == []

    async def test_what_is_no_secret_of_ours(self) -> None:
        async with reachable() as (clinic, _, _):
            for secret in ("", "x" * 43, "é", "x" * 10_000):
                answer = await call(clinic, "$open", secret)
                assert answer.status_code in (404, 422), answer.text

    @pytest.mark.parametrize(
        ("said", "where"),
        [({"answer": "maybe"}, "answer"), ({"answer": "accepted", "comment": 7}, "comment"), ({}, "answer")],
    )
    async def test_what_is_no_answer(self, said: dict[str, Any], where: str) -> None:
        async with reachable() as (clinic, mailbox, _):
            refused = await call(clinic, "$answer", secret_in(to_patient(mailbox)[0]), **said)
            assert refused.status_code == 422
            assert where in refused.text
            assert all(link.answer is None for link in await kept(clinic, "patient_link"))

    async def test_everybody_once_the_visit_has_begun(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            await clinic.at(datetime.fromisoformat(visit["start"]))
            assert (await call(clinic, "$open", secret_in(to_patient(mailbox)[0]))).status_code == 410

    async def test_and_leaves_every_look_at_it_in_the_audit(self) -> None:
        async with reachable() as (clinic, mailbox, _):
            secret = secret_in(to_patient(mailbox)[0])
            await call(clinic, "$open", secret)
            await call(clinic, "$open", secret, birth_date="1981-05-18")
            rows = [row for row in await kept(clinic, "audit_event") if "Communication/" in (row.what or "")]
            assert [row.outcome for row in rows] == ["0", "4"]


class TestACalendarFile:
    async def test_keeps_its_uid_and_counts_on_over_confirming_moving_and_cancelling(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            secret = secret_in(to_patient(mailbox)[0])
            chosen = await call(clinic, "$choose", secret, reminder_days=[1], sends_calendar=True)
            assert chosen.status_code == 200, chosen.text
            found = [Calendar.from_ical((await call(clinic, "$calendar", secret)).content)]
            await call(clinic, "$answer", secret, answer="accepted")
            await clinic.settle()
            found.append(Calendar.from_ical((await call(clinic, "$calendar", secret)).content))
            await move(clinic, visit)
            await call_off(clinic, visit)
            found += [Calendar.from_ical(part) for letter in to_patient(mailbox) for part in files_of(letter)]
            # Another visit is booked in the place of what was called off, and has an entry of its own.
            uid = f"{visit['id']}@clinic.test"
            found = [one for one in found if str(one.walk("VEVENT")[0]["UID"]) == uid]
            events = [one for calendar in found for one in calendar.walk("VEVENT")]
            assert [int(event["SEQUENCE"]) for event in events] == [1, 1, 2, 3]
            assert [str(calendar["METHOD"]) for calendar in found] == ["REQUEST"] * 3 + ["CANCEL"]
            assert {str(event["SUMMARY"]) for event in events} == {"Appointment"}
            assert not any(event.get("LOCATION") or event.get("DESCRIPTION") for event in events)

    async def test_goes_with_no_letter_unless_the_patient_asks_for_it(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            await move(clinic, visit)
            assert [part for letter in to_patient(mailbox) for part in files_of(letter)] == []


class TestReminders:
    async def test_go_a_week_and_a_day_before_and_once(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            start = datetime.fromisoformat(visit["start"])
            before = len(to_patient(mailbox))
            await clinic.at(start - timedelta(hours=1))
            reminders = [
                row for row in await kept(clinic, "notification") if row.event_type == "visit.reminder"
            ]
            ahead = (start - max(MONDAY, start - timedelta(days=7))).days
            assert len(reminders) == (2 if ahead >= 7 else 1)
            assert len(to_patient(mailbox)) == before + len(reminders)
            assert {row.status for row in reminders} == {"completed"}

    async def test_do_not_go_for_a_visit_that_was_called_off(self) -> None:
        async with reachable() as (clinic, _, visit):
            await call_off(clinic, visit)
            await clinic.days(10)
            assert all(row.visit_id != visit["id"] for row in await reminders_of(clinic))

    async def test_go_on_the_days_that_the_patient_chose(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            secret = secret_in(to_patient(mailbox)[0])
            await call(clinic, "$choose", secret, reminder_days=[], sends_calendar=False)
            await clinic.at(datetime.fromisoformat(visit["start"]) - timedelta(hours=1))
            assert len(to_patient(mailbox)) == 1
            refused = await call(clinic, "$choose", secret, reminder_days=[3])
            assert refused.status_code == 422


class TestWhatDoesNotArrive:
    async def test_stands_on_the_telephone_list_until_it_does(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            mailbox.answers = ["550 no such mailbox"] * 5
            await move(clinic, visit)
            [task] = await telephone_list(clinic)
            assert task["focus"]["reference"] == f"Appointment/{visit['id']}"
            assert "arrived" in task["statusReason"]["text"]
            mailbox.answers = []
            await move(clinic, visit)
            assert await telephone_list(clinic) == []

    async def test_after_an_hour_without_a_server_arrives_once(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            mailbox.answers = ["451 try later"] * 4
            now = await move(clinic, visit)
            await clinic.at(clinic.clock.now() + timedelta(hours=1))
            told = to_patient(mailbox)
            assert len(told) == 2
            assert (await call(clinic, "$open", secret_in(told[-1]))).json()["visit"]["start"] == now["start"]

    async def test_is_not_told_later_when_it_does_not_stand_any_more(self) -> None:
        async with reachable() as (clinic, mailbox, visit):
            mailbox.answers = ["451 try later"] * 5
            await move(clinic, visit)
            mailbox.answers = []
            await move(clinic, visit)
            await clinic.at(clinic.clock.now() + timedelta(hours=1))
            rows = sorted(await kept(clinic, "notification"), key=lambda row: row.id)
            mine = [(row.status, row.reason and row.reason["code"]) for row in rows if row.visit_id]
            assert mine == [("completed", None), ("stopped", "superseded"), ("completed", None)]
            assert len(to_patient(mailbox)) == 2


@pytest.mark.timeout(300)
async def test_the_story_of_it_is_played() -> None:
    async with open_mailbox() as mailbox, TestClinic(mailbox=mailbox) as clinic:
        await play(clinic, 23, days=40)
