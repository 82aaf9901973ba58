"""Referrals as other systems write them are taken as they are, and what is left out of them is said."""

from copy import deepcopy
from typing import Any

import httpx
import pytest

from tests.integration.referral.doors import business_status, located, send, task_of, told, work_of
from tests.support.clinic import TestClinic
from tests.support.samples import needs_samples, sample_resources
from tests.support.senders import bars, bser, erec, philippines, synthea

BSER_STATUS = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS"


def answered(answer: httpx.Response, resource_type: str) -> dict[str, Any]:
    """Give the resource of a type in the answer to a message."""
    assert answer.status_code == 200, answer.text
    found = [entry["resource"] for entry in answer.json()["entry"]]
    return next(one for one in found if one["resourceType"] == resource_type)


def referral_of(answer: httpx.Response) -> str:
    return str(answered(answer, "Task")["focus"]["reference"]).removeprefix("ServiceRequest/")


def status_in(task: dict[str, Any], system: str) -> str:
    codings = task["businessStatus"]["coding"]
    return next(str(coding["code"]) for coding in codings if coding["system"] == system)


def noted(answer: httpx.Response) -> dict[str, str]:
    """Give what a transaction's answer says of entries that are not kept whole, by the place of each."""
    issues = [
        issue
        for entry in answer.json()["entry"]
        for issue in entry["response"].get("outcome", {}).get("issue", [])
    ]
    assert {issue["severity"] for issue in issues} <= {"information"}
    return {issue["expression"][0]: issue["details"]["text"] for issue in issues}


class TestBser:
    async def test_a_message_with_a_task_in_focus_is_answered_in_its_words(self, clinic: TestClinic) -> None:
        answer = await send(clinic, bser.message())
        task = answered(answer, "Task")
        values = {one["value"]: one["type"]["coding"][0]["code"] for one in task["identifier"]}
        assert values == {"66666666": "PLAC", "77777777": "FILL", referral_of(answer): "FILL"}
        assert task["focus"] == task["basedOn"][0]
        assert status_in(task, BSER_STATUS) == "2.0"
        header = answered(answer, "MessageHeader")
        assert header["eventCoding"]["code"] == "I12"
        assert header["response"]["identifier"] == "messageheader-bser-referral-messageheader"
        left = answered(answer, "OperationOutcome")
        assert [issue["expression"] for issue in left["issue"]] == [["Bundle.entry[9].resource"]]
        assert header["response"]["details"]["reference"] == f"urn:uuid:{left['id']}"

    async def test_a_transaction_places_the_task_where_ours_answers_it(self, clinic: TestClinic) -> None:
        sent = bser.transaction()
        answer = await send(clinic, sent)
        place = located(answer, "Task")
        task = await task_of(clinic, located(answer))
        assert place == task["id"]
        assert "66666666" in [one["value"] for one in task["identifier"]]
        found = await work_of(clinic, "family-practice", "identifier=|66666666")
        assert [one["id"] for one in found] == [place]
        kinds = [entry["response"]["location"].partition("/")[0] for entry in answer.json()["entry"]]
        assert kinds == [entry["resource"]["resourceType"] for entry in sent["entry"]]
        for entry in answer.json()["entry"]:
            assert entry["response"]["status"] == "201 Created"

    async def test_is_changed_cancelled_and_asked_about_by_its_own_events(self, clinic: TestClinic) -> None:
        first = referral_of(await send(clinic, bser.message()))
        asked = await send(clinic, bser.message(event="I15"))
        assert referral_of(asked) == first
        changed = bser.message(event="I13")
        changed["entry"][1]["resource"]["priority"] = "urgent"
        assert referral_of(await send(clinic, changed)) == first
        assert "referral.corrected" in await told(clinic)
        gone = await send(clinic, bser.message(event="I14"))
        assert answered(gone, "Task")["status"] == "cancelled"
        assert status_in(answered(gone, "Task"), BSER_STATUS) == "6.0"

    async def test_one_id_for_two_messages_loses_neither(self, clinic: TestClinic) -> None:
        first = await send(clinic, bser.message(number="1"))
        second = await send(clinic, bser.message(number="2"))
        assert referral_of(first) != referral_of(second)


class TestErec:
    async def test_is_added_corrected_updated_and_revoked(self, clinic: TestClinic) -> None:
        first = await send(clinic, erec.message(number="r-1"))
        referral = referral_of(first)
        header = answered(first, "MessageHeader")
        assert header["eventCoding"]["code"] == "notify-add-process-request"
        for event, priority in (
            ("notify-data-correction", "urgent"),
            ("notify-update-service-request", "asap"),
        ):
            changed = await send(clinic, erec.message(event, number="r-1", priority=priority))
            assert referral_of(changed) == referral
            stored = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{referral}")
            assert stored.json()["priority"] == priority
            code = answered(changed, "MessageHeader")["eventCoding"]["code"]
            assert code == "notify-update-process-request"
        gone = await send(clinic, erec.message("revoke-service-request", number="r-1", status="revoked"))
        assert answered(gone, "Task")["status"] == "cancelled"

    async def test_a_category_alone_is_asked_for_more(self, clinic: TestClinic) -> None:
        answer = await send(clinic, erec.message(number="r-1"))
        task = answered(answer, "Task")
        assert task["status"] == "on-hold"
        assert "what the patient is sent for" in task["statusReason"]["text"]
        again = erec.message("notify-update-service-request", number="r-1", code={"text": "Back pain"})
        task = answered(await send(clinic, again), "Task")
        assert "what the patient is sent for: a code" not in task["statusReason"]["text"]

    async def test_what_the_referrer_says_is_kept_with_the_referral(self, clinic: TestClinic) -> None:
        referral = referral_of(await send(clinic, erec.message(number="r-1")))
        answer = await send(clinic, erec.communication(number="r-1", text="He can come on Fridays only"))
        assert referral_of(answer) == referral
        kept = await clinic.as_("coordinator").get("/referral/fhir/Communication")
        (said,) = [entry["resource"] for entry in kept.json()["entry"]]
        assert said["payload"] == [{"contentString": "He can come on Fridays only"}]
        assert said["basedOn"] == [{"reference": f"ServiceRequest/{referral}"}]
        assert said["subject"]["reference"].startswith("Patient/")

    async def test_payloads_that_grow_are_the_same_referral(self, clinic: TestClinic) -> None:
        first = referral_of(await send(clinic, erec.message(number="r-1")))
        grown = erec.message("notify-update-service-request", number="r-1", more=erec.echoed())
        answer = await send(clinic, grown)
        assert referral_of(answer) == first
        left = answered(answer, "OperationOutcome")
        assert len(left["issue"]) == 2
        heard = await told(clinic)
        await send(clinic, erec.message("notify-update-service-request", number="r-1", more=erec.echoed()))
        assert await told(clinic) == heard

    async def test_an_update_of_what_was_never_sent_is_told_so(self, clinic: TestClinic) -> None:
        answer = await send(clinic, erec.message("notify-update-service-request", number="never"))
        assert answer.status_code == 404, answer.text
        assert await told(clinic) == []


class TestBars:
    async def test_a_new_request_is_taken_without_code_and_identifier(self, clinic: TestClinic) -> None:
        answer = await send(clinic, bars.message())
        task = answered(answer, "Task")
        assert status_in(task, BSER_STATUS) == "2.0"
        header = answered(answer, "MessageHeader")
        assert header["eventCoding"]["code"] == "servicerequest-response"
        assert header["response"]["identifier"]
        for kind in ("CarePlan", "Flag"):
            kept = await clinic.as_("coordinator").get(f"/referral/fhir/{kind}")
            assert len(kept.json().get("entry", [])) == 1, kept.text

    @pytest.mark.parametrize("number", [None, "b-1"])
    async def test_is_updated_and_cancelled_by_its_reason(
        self, clinic: TestClinic, number: str | None
    ) -> None:
        referral = referral_of(await send(clinic, bars.message(number=number)))
        update = bars.message(reason="update", number=number)
        update["entry"][1]["resource"]["reasonCode"] = [{"text": "Low back pain"}]
        assert referral_of(await send(clinic, update)) == referral
        stored = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert stored.json()["reasonCode"] == [{"text": "Low back pain"}]
        gone = await send(clinic, bars.message(reason="update", status="revoked", number=number))
        assert answered(gone, "Task")["status"] == "cancelled"

    async def test_an_unknown_reason_is_refused(self, clinic: TestClinic) -> None:
        answer = await send(clinic, bars.message(reason="whatever"))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.reason.coding"]
        assert await told(clinic) == []


class TestThePhilippines:
    async def test_a_transaction_that_puts_people_is_taken(self, clinic: TestClinic) -> None:
        answer = await send(clinic, philippines.transaction())
        assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["201 Created"] * 8
        task = await task_of(clinic, located(answer))
        assert task["note"] == [{"text": "New referral. Awaiting response."}]
        for entry in answer.json()["entry"]:
            location = entry["response"]["location"].partition("/_history")[0]
            kind = location.partition("/")[0]
            if kind not in ("DiagnosticReport", "Provenance"):
                read = await clinic.as_("family-practice").get(f"/referral/fhir/{location}")
                assert read.status_code == 200, f"{location}: {read.text}"

    async def test_what_is_put_again_is_a_new_version_where_it_differs(self, clinic: TestClinic) -> None:
        first = await send(clinic, philippines.transaction())
        second = await send(
            clinic, philippines.transaction(number="REF-2", clinic="Kalibo Rural Health Unit")
        )
        places = {
            kind: (located(first, kind), located(second, kind)) for kind in ("Practitioner", "Organization")
        }
        assert all(before == after for before, after in places.values())
        named = {
            entry["response"]["location"].partition("/")[0]: entry["response"]
            for entry in second.json()["entry"]
        }
        assert named["Practitioner"]["location"].endswith("/_history/1")
        assert named["Organization"]["location"].endswith("/_history/2")
        assert {named[kind]["status"] for kind in ("Practitioner", "Organization", "Patient")} == {"200 OK"}
        place = f"/referral/fhir/Organization/{places['Organization'][0]}"
        read = await clinic.as_("family-practice").get(place)
        assert read.json()["name"] == "Kalibo Rural Health Unit"

    async def test_sent_again_whole_it_gets_the_first_answer(self, clinic: TestClinic) -> None:
        first = await send(clinic, philippines.transaction())
        heard = await told(clinic)
        again = await send(clinic, philippines.transaction())
        assert again.json() == first.json()
        assert await told(clinic) == heard


class TestSynthea:
    async def test_a_whole_record_with_one_referral_is_taken(self, clinic: TestClinic) -> None:
        sent = synthea.transaction()
        answer = await send(clinic, sent)
        assert answer.status_code == 200, answer.text
        notes = noted(answer)
        kinds = {
            f"Bundle.entry[{place}].resource": one["resource"] for place, one in enumerate(sent["entry"])
        }
        left = {kinds[place]["resourceType"]: text for place, text in notes.items()}
        others = [text for place, text in notes.items() if kinds[place]["resourceType"] == "ServiceRequest"]
        for kind in ("Claim", "ExplanationOfBenefit"):
            assert left[kind] == f"this resource type is not read here and was left out: {kind}"
        assert "another ServiceRequest than the referral is not kept" in others
        assert "by identifier finds no" in left["Encounter"]
        assert len(answer.json()["entry"]) == len(sent["entry"])

    @needs_samples
    async def test_each_stored_record_is_taken_when_a_referral_is_added(self, clinic: TestClinic) -> None:
        records = [(name, one) for name, one in sample_resources("Bundle") if name.startswith("synthea/")]
        assert len(records) == 2
        for number, (name, record) in enumerate(records):
            answer = await send(clinic, synthea.referred(record, number=str(number)))
            assert answer.status_code == 200, f"{name}: {answer.text[:500]}"
            assert len(answer.json()["entry"]) == len(record["entry"]) + 1

    async def test_a_doctor_whom_a_search_names_is_found_where_she_was_sent(self, clinic: TestClinic) -> None:
        first = synthea.transaction()
        npi = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999999999"}
        doctor = {"resourceType": "Practitioner", "identifier": [npi], "name": [{"family": "Bahringer"}]}
        request = {
            "method": "POST",
            "url": "Practitioner",
            "ifNoneExist": f"identifier={npi['system']}|9999999999",
        }
        url = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1"
        first["entry"].append({"fullUrl": url, "resource": doctor, "request": request})
        place = located(await send(clinic, first), "Practitioner")
        second = deepcopy(synthea.transaction(number="2"))
        referral = located(await send(clinic, second))
        read = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert read.json()["requester"]["reference"] == f"Practitioner/{place}"


async def test_the_status_of_each_family_is_told(clinic: TestClinic) -> None:
    answer = await send(clinic, bser.message())
    assert business_status(answered(answer, "Task")) == "information-requested"
