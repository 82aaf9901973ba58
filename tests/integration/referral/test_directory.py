"""People and organisations under `ifNoneExist`: stored once a sender, whoever sends them first."""

import asyncio
import re
from typing import Any
from uuid import uuid4

from tests.integration.referral.doors import located, send
from tests.integration.referral.test_round_trips import still
from tests.support.clinic import TestClinic
from tests.support.referrals import bundle
from tests.support.sql import sql

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
        rows = await sql(tx, "SELECT body FROM enclosure WHERE type = 'Practitioner' ORDER BY id")
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

    async def test_named_by_a_referral_without_waiting_for_another_that_names_her(
        self, still: TestClinic
    ) -> None:
        """Referrals of one practice all name the same doctor; only the first of them holds her name."""
        await send(still, with_doctor(bundle(), number="61234"))
        database = still.databases["referral"]
        async with database.transaction() as tx:
            await tx.records("SELECT id FROM enclosure WHERE type = 'Practitioner' FOR KEY SHARE")
            answer = await send(still, with_doctor(bundle(), number="61234"))
        assert answer.status_code == 200, answer.text
