"""Messages: the event by its code system, the focus, and one answer to one message."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from tests.integration.referral.doors import send, told
from tests.integration.referral.test_senders import answered, referral_of
from tests.support.clinic import TestClinic
from tests.support.senders import bars, bser, erec

HEADER = "Bundle.entry[0].resource"


def header(sent: dict[str, Any]) -> dict[str, Any]:
    return dict(sent["entry"][0]["resource"])


def with_header(sent: dict[str, Any], **members: Any) -> dict[str, Any]:
    changed = {name: value for name, value in (header(sent) | members).items() if value is not None}
    return sent | {"entry": [sent["entry"][0] | {"resource": changed}, *sent["entry"][1:]]}


async def refused(clinic: TestClinic, sent: dict[str, Any]) -> list[str]:
    answer = await send(clinic, sent)
    assert answer.status_code == 422, answer.text
    assert await told(clinic) == []
    return [issue["expression"][0] for issue in answer.json()["issue"]]


class TestAnEvent:
    @pytest.mark.parametrize(
        ("event", "where"),
        [
            ({"system": "https://elsewhere.example/events", "code": "add-service-request"}, "system"),
            ({"system": "https://notinfoway-inforoute.ca/events", "code": "add-service-request"}, "system"),
            ({"code": "add-service-request"}, "system"),
            (
                {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "add-service-request"},
                "code",
            ),
            ({"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "S12"}, "code"),
            (
                {"system": "https://ehealthontario.ca/fhir/CodeSystem/message-event-code", "code": "I12"},
                "code",
            ),
            (
                {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "booking-request"},
                "code",
            ),
            (
                {
                    "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
                    "code": "servicerequest-response",
                },
                "code",
            ),
        ],
    )
    async def test_that_is_not_known_is_refused_by_its_element(
        self, clinic: TestClinic, event: dict[str, str], where: str
    ) -> None:
        sent = with_header(erec.message(number="r-1"), eventCoding=event)
        assert await refused(clinic, sent) == [f"{HEADER}.eventCoding.{where}"]

    @pytest.mark.parametrize(
        "system",
        [
            "https://ehealthontario.ca/fhir/CodeSystem/message-event-code",
            "https://fhir.infoway-inforoute.ca/CodeSystem/message-event-code",
            "http://fhir.infoway-inforoute.ca/io/CA-eReC/CodeSystem/message-event-code",
        ],
    )
    async def test_of_the_canadian_guides_is_known_by_each_of_their_systems(
        self, clinic: TestClinic, system: str
    ) -> None:
        event = {"system": system, "code": "add-service-request"}
        answer = await send(clinic, with_header(erec.message(number="r-1"), eventCoding=event))
        assert answered(answer, "MessageHeader")["eventCoding"]["system"] == system

    async def test_named_by_a_uri_is_known_by_its_system_too(self, clinic: TestClinic) -> None:
        known = "https://ehealthontario.ca/fhir/CodeSystem/message-event-code#add-service-request"
        sent = with_header(erec.message(number="r-1"), eventCoding=None, eventUri=known)
        assert (await send(clinic, sent)).status_code == 200
        unknown = with_header(erec.message(number="r-2"), eventCoding=None, eventUri="https://x.example/add")
        answer = await send(clinic, unknown)
        assert answer.json()["issue"][0]["expression"] == [f"{HEADER}.eventUri"]


class TestAFocus:
    @pytest.mark.parametrize(
        "reference",
        ["ServiceRequest/another", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1", "https://x.example/a/1"],
    )
    async def test_that_names_nothing_is_refused(self, clinic: TestClinic, reference: str) -> None:
        sent = with_header(erec.message(number="r-1"), focus=[{"reference": reference}])
        assert await refused(clinic, sent) == [f"{HEADER}.focus[0].reference"]

    async def test_chooses_among_several_requests(self, clinic: TestClinic) -> None:
        other = deepcopy(erec.message(number="r-2")["entry"][1]["resource"])
        answer = await send(clinic, erec.message(number="r-1", more=(other,)))
        stored = await clinic.as_("family-practice").get(
            f"/referral/fhir/ServiceRequest/{referral_of(answer)}"
        )
        assert stored.json()["identifier"][0]["value"] == "r-1"

    async def test_of_a_task_that_is_about_nothing_of_the_message_is_not_enough(
        self, clinic: TestClinic
    ) -> None:
        sent = bser.message()
        sent["entry"] = [
            entry for entry in sent["entry"] if entry["resource"]["resourceType"] != "ServiceRequest"
        ]
        assert "Bundle.entry" in await refused(clinic, sent)


async def test_an_answer_to_a_message_is_refused(clinic: TestClinic) -> None:
    sent = with_header(erec.message(number="r-1"), response={"identifier": "m-1", "code": "ok"})
    assert await refused(clinic, sent) == [f"{HEADER}.response"]


class TestTheSameMessage:
    @pytest.mark.parametrize(
        "sent",
        [
            erec.message(number="r-1"),
            erec.message("revoke-service-request", number="r-1"),
            erec.communication(number="r-1", text="Fridays only"),
        ],
        ids=["add", "revoke", "communicate"],
    )
    async def test_gets_the_same_answer_and_is_done_once(
        self, clinic: TestClinic, sent: dict[str, Any]
    ) -> None:
        await send(clinic, erec.message(number="r-1"))
        first = await send(clinic, sent)
        assert first.status_code == 200, first.text
        heard = await told(clinic)
        for again in (sent, sent | {"id": "another-envelope", "timestamp": "2026-03-03T10:00:00Z"}):
            assert (await send(clinic, again)).content == first.content
        assert await told(clinic) == heard

    async def test_sent_ten_times_at_once_is_one(self, clinic: TestClinic) -> None:
        sent = bars.message()
        sent["entry"][0]["resource"]["id"] = "m-1"
        answers = await asyncio.gather(*(send(clinic, sent) for _ in range(10)))
        assert len({answer.content for answer in answers}) == 1
        assert (await told(clinic)).count("referral.received") == 1

    async def test_of_another_sender_is_that_ones_own(self, clinic: TestClinic) -> None:
        sent = erec.message(number="r-1")
        mine = referral_of(await send(clinic, sent))
        theirs = await send(clinic, sent, as_="second-practice")
        assert referral_of(theirs) != mine


class TestTheAnswer:
    @pytest.mark.parametrize(
        "sent", [bser.message(), erec.message(number="r-1"), bars.message()], ids=["bser", "erec", "bars"]
    )
    async def test_is_a_message_whose_references_resolve(
        self, clinic: TestClinic, sent: dict[str, Any]
    ) -> None:
        answer = (await send(clinic, sent)).json()
        urls = [entry["fullUrl"] for entry in answer["entry"]]
        first = answer["entry"][0]["resource"]
        assert len(set(urls)) == len(urls)
        for entry in answer["entry"]:
            assert entry["fullUrl"].endswith(entry["resource"]["id"])
        assert first["focus"][0]["reference"] in urls
        assert first["response"].get("details", {}).get("reference", urls[0]) in urls
        assert first["source"]["endpoint"].endswith("/referral/fhir/$process-message")
        assert first["destination"][0]["endpoint"] == header(sent)["source"]["endpoint"]
        assert '""' not in (await send(clinic, sent)).text

    async def test_to_each_message_has_ids_of_its_own(self, clinic: TestClinic) -> None:
        first = answered(await send(clinic, erec.message(number="r-1")), "MessageHeader")
        again = erec.message("notify-update-service-request", number="r-1", priority="urgent")
        second = answered(await send(clinic, again), "MessageHeader")
        assert first["id"] != second["id"]
