"""People and organisations under `ifNoneExist`: stored once a sender, on the bold way as on the slow one."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest

from services.referral import use_cases
from services.referral.queries import directory
from tests.integration.referral.doors import located, send
from tests.integration.referral.test_round_trips import still, trips
from tests.support.clinic import TestClinic
from tests.support.referrals import bundle

__all__ = ["still"]

LICENSE = "https://fhir.infoway-inforoute.ca/NamingSystem/ca-on-license-physician"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def with_doctor(body: dict[str, Any], *, number: str, conditional: bool = True) -> dict[str, Any]:
    """Send the referring doctor along; the ServiceRequest names her."""
    url = f"urn:uuid:{uuid4()}"
    doctor = {
        "resourceType": "Practitioner",
        "identifier": [{"system": LICENSE, "value": number}],
        "name": [{"family": "Okafor"}],
    }
    request = {"method": "POST", "url": "Practitioner"}
    if conditional:
        request["ifNoneExist"] = f"identifier={LICENSE}|{number}"
    body["entry"].append({"fullUrl": url, "resource": doctor, "request": request})
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "ServiceRequest":
            entry["resource"]["requester"] = {"reference": url}
    return body


async def stored(clinic: TestClinic) -> list[str]:
    async with clinic.databases["referral"].transaction() as tx:
        rows = await tx.sql("SELECT body FROM enclosure WHERE type = 'Practitioner' ORDER BY id")
        return [bytes(row.body).decode() for row in rows]


class TestADoctorIs:
    async def test_stored_with_the_first_referral_and_named_by_the_next(self, still: TestClinic) -> None:
        first = await send(still, with_doctor(bundle(), number="61234"))
        second = await send(still, with_doctor(bundle(), number="61234"))
        assert located(second, "Practitioner") == located(first, "Practitioner")
        status = [entry["response"]["status"] for entry in (second.json()["entry"])]
        assert status.count("200 OK") == 1
        request = await still.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{located(second)}")
        assert request.json()["requester"] == {"reference": f"Practitioner/{located(first, 'Practitioner')}"}
        assert len(await stored(still)) == 1

    async def test_another_one_for_another_sender(self, still: TestClinic) -> None:
        first = await send(still, with_doctor(bundle(), number="61234"))
        second = await send(still, with_doctor(bundle(), number="61234"), as_="second-practice")
        assert located(second, "Practitioner") != located(first, "Practitioner")

    async def test_found_where_she_was_sent_without_a_condition(self, still: TestClinic) -> None:
        first = await send(still, with_doctor(bundle(), number="61234", conditional=False))
        second = await send(still, with_doctor(bundle(), number="61234"))
        assert located(second, "Practitioner") == located(first, "Practitioner")

    async def test_one_where_a_sending_names_her_twice(self, still: TestClinic) -> None:
        twice = with_doctor(with_doctor(bundle(), number="61234"), number="61234")
        assert (await send(still, twice)).status_code == 200
        assert len(await stored(still)) == 1

    async def test_one_where_ten_send_her_first_at_once(self, still: TestClinic) -> None:
        sent = [send(still, with_doctor(bundle(), number="70000")) for _ in range(10)]
        answers = await asyncio.gather(*sent)
        assert {answer.status_code for answer in answers} == {200}
        assert len({located(answer, "Practitioner") for answer in answers}) == 1
        assert len({located(answer) for answer in answers}) == 10
        assert len(await stored(still)) == 1

    async def test_never_one_that_is_only_remembered(self, still: TestClinic) -> None:
        await send(still, with_doctor(bundle(), number="61234"))
        first = await send(still, with_doctor(bundle(), number="61234"))
        remembered = directory._remembered[still.databases["referral"]]
        name = next(name for name in remembered if name[1] == "Practitioner")
        remembered[name] = directory.Placed(uuid4(), 1)
        second = await send(still, with_doctor(bundle(), number="61234"))
        assert located(second, "Practitioner") == located(first, "Practitioner")
        assert str(remembered[name].id) == located(first, "Practitioner")


class TestTheBoldWay:
    async def test_takes_one_round_trip_once_the_doctor_is_known_and_two_before(
        self, still: TestClinic
    ) -> None:
        key = {"Idempotency-Key": "first"}
        body = with_doctor(bundle(), number="61234")
        assert await trips(still, "POST", "/referral/fhir", json=body, headers=key) == 2
        await send(still, with_doctor(bundle(), number="61234"))
        body = with_doctor(bundle(), number="61234")
        assert await trips(still, "POST", "/referral/fhir", json=body) == 1

    async def test_stores_and_answers_what_the_slow_way_does(
        self, still: TestClinic, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await send(still, with_doctor(bundle(), number="61234"))
        found = []
        for bold in (True, False):
            monkeypatch.setattr(use_cases, "may_be_bold", lambda _, bold=bold: bold)
            body = with_doctor(bundle(health_card=f"40829{bold:05d}", identifier="x"), number="61234")
            body = _renamed(body, to=f"sent-{bold:d}")
            answer = await send(still, body)
            assert answer.status_code == 200, answer.text
            found.append((_forgotten(answer.text), await _written(still, located(answer))))
        assert found[0] == found[1]


def _renamed(body: dict[str, Any], *, to: str) -> dict[str, Any]:
    for entry in body["entry"]:
        if entry["resource"]["resourceType"] == "ServiceRequest":
            entry["resource"]["identifier"][0]["value"] = to
    return body


def _forgotten(text: str) -> str:
    """Take out what differs between two sendings: ids, the card and the sender's identifier."""
    return re.sub(r"40829\d{5}|sent-\d", "...", _ID.sub("<id>", text))


async def _written(clinic: TestClinic, referral: str) -> list[str]:
    bodies = (
        "SELECT body FROM referral WHERE id = :id"
        " UNION ALL SELECT body FROM enclosure WHERE referral_id = :id"
        " UNION ALL SELECT body FROM task WHERE referral_id = :id UNION ALL SELECT patient.body FROM patient"
        " JOIN referral ON referral.patient_id = patient.id WHERE referral.id = :id UNION ALL"
        " SELECT value FROM outbox WHERE key = (SELECT patient_id::text FROM referral WHERE id = :id)"
    )
    async with clinic.databases["referral"].transaction() as tx:
        rows = (await tx.sql(bodies, id=referral)).all()
    return sorted(_forgotten(bytes(row.body).decode()) for row in rows)
