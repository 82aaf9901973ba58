"""A condition of an entry, or a search as a reference, is met in every legal writing or refused by place."""

import asyncio
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.integration.referral.doors import located, send, told
from tests.support import referrals
from tests.support.clinic import TestClinic

LAB = "https://lab.example/results"
PLACES = "https://places.example/id"


def with_entry(sent: dict[str, Any], resource: dict[str, Any], **request: str) -> dict[str, Any]:
    """Add an entry; the request says its condition."""
    kind = resource["resourceType"]
    asked = {"method": "POST", "url": kind} | request
    entry = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": resource, "request": asked}
    return sent | {"entry": [*sent["entry"], entry]}


def result(sent: dict[str, Any], *, number: str, **members: Any) -> dict[str, Any]:
    """Make an Observation about the patient of a Bundle."""
    return {
        "resourceType": "Observation",
        "identifier": [{"system": LAB, "value": number}],
        "status": "final",
        "code": {"text": "C-reactive protein"},
        "subject": {"reference": sent["entry"][0]["fullUrl"]},
        **members,
    }


def place(number: str, *, name: str = "Elm Street") -> dict[str, Any]:
    return {
        "resourceType": "Location",
        "identifier": [{"system": PLACES, "value": number}],
        "name": name,
    }


async def count(clinic: TestClinic, kind: str) -> int:
    answer = await clinic.as_("family-practice").get(f"/referral/fhir/{kind}")
    return int(answer.json()["total"])


class TestIfNoneExist:
    @pytest.mark.parametrize(
        "condition",
        [
            f"identifier={LAB}|7",
            f"?identifier={LAB}|7",
            f"Observation?identifier={LAB}|7",
            f"identifier={quote(f'{LAB}|7', safe='')}",
            f"Observation?identifier={quote(f'{LAB}|7', safe='')}",
            "identifier=7",
        ],
    )
    async def test_of_a_result_that_was_sent_gives_that_one(self, clinic: TestClinic, condition: str) -> None:
        card = "1234509876"
        sent = referrals.bundle(health_card=card, programme="rapid-access")
        first = located(await send(clinic, with_entry(sent, result(sent, number="7"))), "Observation")
        again = referrals.bundle(health_card=card, programme="chronic-pain")
        again = with_entry(again, result(again, number="7"), ifNoneExist=condition)
        answer = await send(clinic, again)
        assert located(answer, "Observation") == first
        assert answer.json()["entry"][-1]["response"]["status"] == "200 OK"
        assert await count(clinic, "Observation") == 1

    async def test_creates_where_nothing_was_sent(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        answer = await send(
            clinic, with_entry(sent, result(sent, number="7"), ifNoneExist=f"identifier={LAB}|7")
        )
        assert answer.json()["entry"][-1]["response"]["status"] == "201 Created"

    async def test_met_by_a_result_of_another_patient_is_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        await send(clinic, with_entry(sent, result(sent, number="7")))
        heard = await told(clinic)
        other = referrals.bundle(family="Someone")
        answer = await send(
            clinic, with_entry(other, result(other, number="7"), ifNoneExist=f"identifier={LAB}|7")
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].request.ifNoneExist"]
        assert await told(clinic) == heard

    async def test_met_by_several_is_refused(self, clinic: TestClinic) -> None:
        for _ in range(2):
            await send(clinic, with_entry(referrals.bundle(), place("1")))
        answer = await send(
            clinic, with_entry(referrals.bundle(), place("1"), ifNoneExist=f"identifier={PLACES}|1")
        )
        assert answer.status_code == 412, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].request.ifNoneExist"]

    @pytest.mark.parametrize(
        "condition",
        [
            "status=final",
            "identifier=a|1&status=final",
            "Patient?identifier=a|1",
            "identifier=",
            "_id=1",
            # One of several would do: that is another search than for one identifier.
            "identifier=a|1,a|2",
            "identifier=a%7C1%2Ca%7C2",
        ],
    )
    @pytest.mark.parametrize("kind", ["Observation", "Location"])
    async def test_that_is_not_understood_is_refused_on_any_entry(
        self, clinic: TestClinic, kind: str, condition: str
    ) -> None:
        sent = referrals.bundle()
        resource = result(sent, number="7") if kind == "Observation" else place("7")
        answer = await send(clinic, with_entry(sent, resource, ifNoneExist=condition))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].request.ifNoneExist"]
        assert await told(clinic) == []

    async def test_reads_an_escaped_comma_as_one_of_the_identifier(self, clinic: TestClinic) -> None:
        await send(clinic, with_entry(referrals.bundle(), place("1,2")))
        condition = f"identifier={PLACES}|1\\,2"
        answer = await send(clinic, with_entry(referrals.bundle(), place("1,2"), ifNoneExist=condition))
        assert answer.json()["entry"][-1]["response"]["status"] == "200 OK"

    async def test_of_a_bare_request_with_several_identifiers_is_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(health_card="1234509876")
        contained = [{**referrals.resource(sent, "Patient"), "id": "p"}]
        request = referrals.resource(sent, "ServiceRequest")
        body = request | {"contained": contained, "subject": {"reference": "#p"}}
        condition = {"If-None-Exist": f"identifier={referrals.SENDER}|1,{referrals.SENDER}|2"}
        client = clinic.as_("family-practice")
        refused = await client.post("/referral/fhir/ServiceRequest", json=body, headers=condition)
        assert refused.status_code == 400, refused.text
        assert await told(clinic) == []

    async def test_of_another_sender_is_not_met(self, clinic: TestClinic) -> None:
        await send(clinic, with_entry(referrals.bundle(), place("1")))
        answer = await send(
            clinic,
            with_entry(referrals.bundle(), place("1"), ifNoneExist=f"identifier={PLACES}|1"),
            as_="second-practice",
        )
        assert answer.json()["entry"][-1]["response"]["status"] == "201 Created"

    async def test_ten_at_once_make_one_place(self, clinic: TestClinic) -> None:
        sent = [
            send(clinic, with_entry(referrals.bundle(), place("1"), ifNoneExist=f"identifier={PLACES}|1"))
            for _ in range(10)
        ]
        answers = await asyncio.gather(*sent)
        assert len({located(answer, "Location") for answer in answers}) == 1

    async def test_of_the_request_gives_the_referral_that_stands(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, referrals.bundle(identifier="r-1")))
        heard = await told(clinic)
        other = referrals.bundle(identifier="r-2")
        other["entry"][1]["request"]["ifNoneExist"] = f"ServiceRequest?identifier={referrals.SENDER}|r-1"
        answer = await send(clinic, other)
        assert located(answer) == first
        assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["200 OK"] * 4
        assert all("outcome" in entry["response"] for entry in answer.json()["entry"][2:])
        assert await told(clinic) == heard


class TestPutByIdentifier:
    @pytest.mark.parametrize("encoded", [False, True])
    async def test_the_request_is_created_and_then_corrected(self, clinic: TestClinic, encoded: bool) -> None:
        token = f"{referrals.SENDER}|r-1"
        sent = referrals.bundle(identifier="r-1")
        address = f"ServiceRequest?identifier={quote(token, safe='') if encoded else token}"
        sent["entry"][1]["request"] = {"method": "PUT", "url": address}
        first = await send(clinic, sent)
        assert first.json()["entry"][1]["response"]["status"] == "201 Created"
        sent["entry"][1]["resource"]["priority"] = "urgent"
        second = await send(clinic, sent)
        assert located(second) == located(first)
        assert second.json()["entry"][1]["response"]["status"] == "200 OK"
        assert "referral.corrected" in await told(clinic)

    async def test_a_place_is_put_anew_by_another_referral(self, clinic: TestClinic) -> None:
        address = f"Location?identifier={PLACES}|1"
        first = await send(clinic, with_entry(referrals.bundle(), place("1"), method="PUT", url=address))
        moved = place("1", name="Oak Street")
        second = await send(clinic, with_entry(referrals.bundle(), moved, method="PUT", url=address))
        assert located(first, "Location") == located(second, "Location")
        read = await clinic.as_("family-practice").get(
            f"/referral/fhir/Location/{located(first, 'Location')}"
        )
        assert (read.json()["name"], read.json()["meta"]["versionId"]) == ("Oak Street", "2")
        third = await send(clinic, with_entry(referrals.bundle(), moved, method="PUT", url=address))
        assert third.json()["entry"][-1]["response"]["etag"] == 'W/"2"'

    async def test_what_does_not_bear_its_identifier_is_refused(self, clinic: TestClinic) -> None:
        sent = with_entry(referrals.bundle(), place("1"), method="PUT", url=f"Location?identifier={PLACES}|2")
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].request.url"]

    @pytest.mark.parametrize(
        "url", ["Location/1", "Location", "Location?name=Elm", "Organization?identifier=a|1"]
    )
    async def test_any_other_address_is_refused(self, clinic: TestClinic, url: str) -> None:
        answer = await send(clinic, with_entry(referrals.bundle(), place("1"), method="PUT", url=url))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].request.url"]
        assert await told(clinic) == []

    @pytest.mark.parametrize("method", ["DELETE", "PATCH", "GET"])
    async def test_other_methods_are_refused(self, clinic: TestClinic, method: str) -> None:
        answer = await send(
            clinic, with_entry(referrals.bundle(), place("1"), method=method, url="Location/1")
        )
        assert answer.status_code == 422, answer.text
        assert await told(clinic) == []


class TestASearchAsReference:
    async def test_means_the_entry_with_that_identifier(self, clinic: TestClinic) -> None:
        sent = with_entry(referrals.bundle(), place("1"))
        request = referrals.resource(sent, "ServiceRequest")
        request["locationReference"] = [{"reference": f"Location?identifier={PLACES}|1"}]
        answer = await send(clinic, sent)
        read = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{located(answer)}")
        assert read.json()["locationReference"] == [{"reference": f"Location/{located(answer, 'Location')}"}]

    async def test_for_a_patient_whom_the_bundle_does_not_hold_is_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        observed = result(
            sent, number="7", subject={"reference": "Patient?identifier=https://x.example|other"}
        )
        answer = await send(clinic, with_entry(sent, observed))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].resource"]
        assert await told(clinic) == []
