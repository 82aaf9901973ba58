"""A patient who permits text messages hears by a gateway, which may fail, for an hour and for good."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from tests.integration.referral.test_correcting_a_patient import consent, correct
from tests.support.clinic import TestClinic
from tests.support.gateway import Gateway, open_gateway
from tests.support.patients import booked, call, kept, move, refer, telephone_list

MOBILE = [{"system": "phone", "value": "+1 416-555-0202", "use": "mobile"}]
FRENCH = [{"language": {"coding": [{"code": "fr"}]}, "preferred": True}]


@asynccontextmanager
async def reachable(**members: Any) -> AsyncIterator[tuple[TestClinic, Gateway, dict[str, Any]]]:
    """Give a clinic, a gateway, and the visit of a patient who permits text messages and was told of none."""
    async with open_gateway() as gateway, TestClinic(sms_url=gateway.url) as clinic:
        patient = await refer(clinic)
        await clinic.days(1)
        visit = await booked(clinic)
        await correct(clinic, patient, telecom=MOBILE, extension=[consent("sms")], **members)
        await clinic.settle()
        yield clinic, gateway, visit


async def reasons(clinic: TestClinic) -> list[str]:
    """Give why messages to patients did not arrive."""
    rows = await kept(clinic, "notification")
    return [row.reason["code"] for row in rows if row.audience == "patient" and row.reason]


class TestAText:
    async def test_says_where_the_message_is_and_nothing_else(self) -> None:
        async with reachable() as (clinic, gateway, visit):
            await move(clinic, visit)
            [text] = gateway.taken
            assert text["to"] == "+1 416-555-0202"
            said, _, link = text["text"].rpartition("/m/")
            secret, _, language = link.partition("?lang=")
            assert language == "en"
            assert said == "There is a message for you. Open it with your date of birth: http://clinic.test"
            assert (await call(clinic, "$open", secret)).status_code == 200

    async def test_is_in_the_language_of_the_patient(self) -> None:
        async with reachable(communication=FRENCH) as (clinic, gateway, visit):
            await move(clinic, visit)
            assert gateway.taken[0]["text"].startswith("Il y a un message pour vous.")

    async def test_does_not_go_to_a_telephone_that_is_not_mobile(self) -> None:
        home = [{"system": "phone", "value": "+1 416-555-0303", "use": "home"}]
        async with reachable() as (clinic, gateway, visit):
            found = await clinic.as_("coordinator").get("/referral/fhir/Patient")
            patient = found.json()["entry"][0]["resource"]["id"]
            await correct(clinic, patient, telecom=home)
            await move(clinic, visit)
            assert gateway.taken == []


class TestAGatewayThatFails:
    async def test_for_a_while_gets_every_text_afterwards_and_each_once(self) -> None:
        async with reachable() as (clinic, gateway, visit):
            gateway.answers = ["503 Service Unavailable", "gone", "429 Too Many Requests", "408 Timeout"]
            await move(clinic, visit)
            assert gateway.taken == []
            # Less than an hour: at nine the reminders of the morning would go too.
            await clinic.at(clinic.clock.now() + timedelta(minutes=50))
            assert len(gateway.taken) == 1
            assert len(set(gateway.keys)) == 1
            assert await telephone_list(clinic) == []

    async def test_for_good_leaves_the_visit_on_the_telephone_list(self) -> None:
        async with reachable() as (clinic, gateway, visit):
            gateway.answers = ["400 Bad Request"]
            await move(clinic, visit)
            [task] = await telephone_list(clinic)
            assert task["focus"]["reference"] == f"Appointment/{visit['id']}"
            assert await reasons(clinic) == ["gateway-refused"]

    async def test_for_a_day_says_so_on_the_telephone_list(self) -> None:
        async with reachable() as (clinic, gateway, visit):
            gateway.answers = ["503 Service Unavailable"] * 100
            await move(clinic, visit)
            [asked] = await telephone_list(clinic)
            assert asked["statusReason"]["coding"][0]["code"] == "patient-to-tell"
            await clinic.days(1.2)
            [asked] = await telephone_list(clinic)
            assert asked["statusReason"]["coding"][0]["code"] == "message-not-arrived"
            assert "gateway-gave-up" in await reasons(clinic)

    async def test_that_there_is_none_of_is_written_down_and_telephoned(self) -> None:
        async with TestClinic() as clinic:
            patient = await refer(clinic)
            await clinic.days(1)
            visit = await booked(clinic)
            await correct(clinic, patient, telecom=MOBILE, extension=[consent("sms")])
            await move(clinic, visit)
            mine = [row for row in await kept(clinic, "notification") if row.audience == "patient"]
            assert [(row.status, row.reason["code"]) for row in mine] == [("not-done", "no-gateway")]
            assert len(await telephone_list(clinic)) == 1
