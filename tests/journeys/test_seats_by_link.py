"""Two patients in a group: the link of one ends that one's seat, and says nothing of the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.scheduling.test_booking_by_http import book, find
from tests.journeys.test_offers_by_link import Waiting, a_patient
from tests.support.clinic import TestClinic
from tests.support.mailbox import Mailbox, open_mailbox, text_of
from tests.support.patients import call, secret_in, visit_now


@asynccontextmanager
async def in_a_group() -> AsyncIterator[tuple[TestClinic, Mailbox, list[Waiting]]]:
    """Give a clinic with two patients who have seats in one session of a group, and the letters of that."""
    async with open_mailbox() as mailbox, TestClinic(mailbox=mailbox) as clinic:
        patients = [await a_patient(clinic, number) for number in range(2)]
        mailbox.letters.clear()
        mailbox.recipients.clear()
        based_on = [one.visit["basedOn"] for one in patients]
        found = await find(clinic, visit_type="back-school", referral=based_on[0][0])
        proposal: dict[str, Any] = found.json()["entry"][0]["resource"]
        for one, referral in zip(patients, based_on, strict=True):
            booked = await book(clinic, proposal | {"basedOn": referral})
            assert booked.status_code == 200, booked.text
            one.visit = booked.json()
        await clinic.settle()
        yield clinic, mailbox, patients


async def test_a_link_ends_its_own_seat_alone_and_names_nobody_else() -> None:
    async with in_a_group() as (clinic, mailbox, [one, other]):
        assert one.visit["start"] == other.visit["start"]
        [letter] = one.letters(mailbox)
        secret = secret_in(letter)
        shown = await call(clinic, "$open", secret)
        assert shown.json()["visit"]["id"] == one.visit["id"]
        assert "Family1" not in shown.text + text_of(letter)
        assert other.visit["id"] not in shown.text
        assert (await call(clinic, "$answer", secret, answer="declined")).status_code == 200
        await clinic.settle()
        now = [(await visit_now(clinic, seat.visit))["status"] for seat in (one, other)]
        assert now == ["cancelled", "booked"]
        assert len(other.letters(mailbox)) == 1, "the other is told of nothing"
