"""Receiving a referral through the doors of the API."""

import asyncio
from typing import Any

from services.referral.fhir.messages import ONTARIO_SYSTEM
from tests.integration.referral.doors import located, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

ACCEPTED = ["referral.received", "referral.triaged", "referral.accepted"]


def message(sent: dict[str, Any], event: str = "add-service-request") -> dict[str, Any]:
    """Make a message Bundle of a transaction."""
    request = next(entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "ServiceRequest")
    header = {
        "resourceType": "MessageHeader",
        "id": "m-1",
        "eventCoding": {"system": ONTARIO_SYSTEM, "code": event},
        "source": {"endpoint": "https://elm-street.example/fhir"},
        "focus": [{"reference": request["fullUrl"]}],
    }
    entries = [{"fullUrl": entry["fullUrl"], "resource": entry["resource"]} for entry in sent["entry"]]
    first = {"fullUrl": "urn:uuid:6f4d4a62-40a3-4b0b-9ff9-5c9d6a2b0d55", "resource": header}
    return {"resourceType": "Bundle", "type": "message", "entry": [first, *entries]}


def bare(sent: dict[str, Any]) -> dict[str, Any]:
    """Make a bare ServiceRequest with everything contained of a transaction."""
    names = {entry["fullUrl"]: f"c{place}" for place, entry in enumerate(sent["entry"])}
    request: dict[str, Any] = {}
    contained = []
    for entry in sent["entry"]:
        resource = _with_references(entry["resource"], names)
        if resource["resourceType"] == "ServiceRequest":
            request = resource
        else:
            contained.append(resource | {"id": names[entry["fullUrl"]]})
    links = [
        {"reference": f"#{resource['id']}"}
        for resource in contained
        if resource["resourceType"] in ("QuestionnaireResponse", "Coverage")
    ]
    return request | {"contained": contained, "supportingInfo": links}


def _with_references(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: f"#{names[value]}"
            if key == "reference" and value in names
            else _with_references(value, names)
            for key, value in node.items()
        }
    return [_with_references(part, names) for part in node] if isinstance(node, list) else node


class TestThreeDoors:
    async def test_a_transaction_is_accepted_its_task_says_so_and_each_location_reads(
        self, clinic: TestClinic
    ) -> None:
        answer = await send(clinic, referrals.bundle())
        task = await task_of(clinic, located(answer))
        assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["201 Created"] * 4
        assert task["status"] == "accepted"
        assert task["businessStatus"]["coding"][0]["code"] == "accepted"
        assert "Rapid access" in task["statusReason"]["text"]
        assert await told(clinic) == ACCEPTED
        for entry in answer.json()["entry"]:
            location = entry["response"]["location"]
            read = await clinic.as_("family-practice").get(f"/referral/fhir/{location}")
            assert read.status_code == 200, read.text

    async def test_a_message_is_answered_with_the_task(self, clinic: TestClinic) -> None:
        sent = message(referrals.bundle(intent="proposal"))
        answer = await clinic.as_("family-practice").post("/referral/fhir/$process-message", json=sent)
        assert answer.status_code == 200, answer.text
        header, task = (entry["resource"] for entry in answer.json()["entry"])
        address = answer.json()["entry"][1]["fullUrl"]
        assert address == header["focus"][0]["reference"]
        assert address == f"http://clinic.test/referral/fhir/Task/{task['id']}"
        assert header["response"] == {"identifier": "m-1", "code": "ok"}
        assert task["code"]["coding"][0]["code"] == "process-request"
        assert task["status"] == "accepted"
        assert await told(clinic) == ACCEPTED

    async def test_a_message_is_taken_at_the_base_too(self, clinic: TestClinic) -> None:
        answer = await send(clinic, message(referrals.bundle()))
        assert answer.json()["entry"][0]["resource"]["resourceType"] == "MessageHeader"
        assert await told(clinic) == ACCEPTED

    async def test_a_revoking_message_cancels_the_task(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="r-1")
        referral = located(await send(clinic, sent))
        referrals.resource(sent, "ServiceRequest")["status"] = "revoked"
        answer = await send(clinic, message(sent, event="revoke-service-request"))
        assert answer.status_code == 200, answer.text
        assert answer.json()["entry"][1]["resource"]["status"] == "cancelled"
        read = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert read.json()["status"] == "revoked"

    async def test_an_entry_is_created_as_what_it_is(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        sent["entry"][0]["request"]["url"] = "Observation"
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].request.url"]
        assert await told(clinic) == []

    async def test_what_is_no_message_is_told_so(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        answer = await clinic.as_("family-practice").post("/referral/fhir/$process-message", json=sent)
        assert answer.status_code == 422
        (issue,) = answer.json()["issue"]
        assert issue["expression"] == ["Bundle.type"]
        assert issue["details"]["text"] == "a message is taken here, not a transaction"

    async def test_an_unknown_event_is_refused(self, clinic: TestClinic) -> None:
        answer = await send(clinic, message(referrals.bundle(), event="notify-add-appointment"))
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.eventCoding.code"]

    async def test_a_bare_request_with_everything_contained_is_accepted(self, clinic: TestClinic) -> None:
        sent = bare(referrals.bundle())
        answer = await clinic.as_("family-practice").post("/referral/fhir/ServiceRequest", json=sent)
        assert answer.status_code == 201, answer.text
        stored = answer.json()
        assert answer.headers["location"].endswith(f"/referral/fhir/ServiceRequest/{stored['id']}/_history/1")
        assert "contained" not in stored
        assert stored["subject"]["reference"].startswith("Patient/")
        assert all(not reference["reference"].startswith("#") for reference in stored["supportingInfo"])
        assert await told(clinic) == ACCEPTED

    async def test_a_condition_gives_the_callers_own_referral_instead(self, clinic: TestClinic) -> None:
        address = "/referral/fhir/ServiceRequest"
        sent = bare(referrals.bundle(identifier="r-1"))
        condition = {"If-None-Exist": f"identifier={referrals.SENDER}|r-1"}
        mine, others = clinic.as_("family-practice"), clinic.as_("second-practice")
        first = await mine.post(address, json=sent, headers=condition)
        other = bare(referrals.bundle())
        again = await mine.post(address, json=other, headers=condition)
        stranger = await others.post(address, json=other, headers=condition)
        assert (first.status_code, again.status_code, stranger.status_code) == (201, 200, 201)
        assert again.content == first.content
        wrong = await mine.post(address, json=other, headers={"If-None-Exist": "status=active"})
        assert wrong.status_code == 400

    async def test_a_bare_request_names_a_known_patient_by_identifier(self, clinic: TestClinic) -> None:
        first = located(await send(clinic, referrals.bundle(health_card="9876543210")), "Patient")
        request = referrals.a_request("unused", programme="chronic-pain")
        request["subject"] = {"identifier": {"system": referrals.HEALTH_CARD, "value": "9876543210"}}
        doors = "/referral/fhir/ServiceRequest"
        answer = await clinic.as_("family-practice").post(doors, json=request)
        assert answer.status_code == 201, answer.text
        assert answer.json()["subject"]["reference"] == f"Patient/{first}"
        other = await clinic.as_("second-practice").post(doors, json=request)
        assert other.status_code == 422, "another practice does not know this patient"


class TestSentAgain:
    async def test_the_same_identifier_gets_the_first_answer_again(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="again")
        first, again = await send(clinic, sent), await send(clinic, sent)
        assert again.status_code == 200
        assert again.json() == first.json()
        assert await told(clinic) == ACCEPTED

    async def test_ten_at_once_make_one_referral(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="ten")
        answers = await asyncio.gather(*(send(clinic, sent) for _ in range(10)))
        assert {located(answer) for answer in answers} == {located(answers[0])}
        assert await told(clinic) == ACCEPTED

    async def test_another_practice_may_use_the_same_identifier(self, clinic: TestClinic) -> None:
        one = located(await send(clinic, referrals.bundle(identifier="same")))
        other = await send(clinic, referrals.bundle(identifier="same"), as_="second-practice")
        assert located(other) != one

    async def test_the_same_identifier_for_another_patient_is_a_conflict(self, clinic: TestClinic) -> None:
        await send(clinic, referrals.bundle(identifier="mine"))
        answer = await send(clinic, referrals.bundle(identifier="mine", family="Somebody-Else"))
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["expression"] == ["ServiceRequest.identifier"]

    async def test_new_ids_for_the_same_patient_and_programme_are_stored_and_not_accepted(
        self, clinic: TestClinic
    ) -> None:
        await send(clinic, referrals.bundle(health_card="1112223334"))
        other = located(await send(clinic, referrals.bundle(health_card="1112223334")))
        task = await task_of(clinic, other)
        assert task["businessStatus"]["coding"][0]["code"] == "duplicate-suspected"
        assert (await told(clinic))[3:] == [
            "referral.received",
            "referral.triaged",
            "referral.duplicate-suspected",
        ]

    async def test_two_at_once_for_a_known_patient_make_one_referral_and_one_suspicion(
        self, clinic: TestClinic
    ) -> None:
        await send(clinic, referrals.bundle(health_card="31", programme="chronic-pain"))
        known = {"identifier": {"system": referrals.HEALTH_CARD, "value": "31"}}
        requests = [referrals.a_request("unused") | {"subject": known} for _ in range(6)]
        for request in requests:
            request["contained"] = [
                {"id": "q"} | referrals.a_response("Patient/x") | {"subject": known},
                {"id": "c"} | referrals.a_coverage("Patient/x") | {"beneficiary": known},
            ]
            request["supportingInfo"] = [{"reference": "#q"}, {"reference": "#c"}]
        doors = "/referral/fhir/ServiceRequest"
        sender = clinic.as_("family-practice")
        answers = await asyncio.gather(*(sender.post(doors, json=request) for request in requests))
        assert [answer.status_code for answer in answers] == [201] * 6, [answer.text for answer in answers]
        heard = await told(clinic)
        assert heard.count("referral.accepted") == 2
        assert heard.count("referral.duplicate-suspected") == 5

    async def test_another_programme_is_no_duplicate(self, clinic: TestClinic) -> None:
        await send(clinic, referrals.bundle(health_card="1112223335"))
        sent = referrals.bundle(health_card="1112223335", programme="chronic-pain")
        assert (await task_of(clinic, located(await send(clinic, sent))))["status"] == "accepted"

    async def test_after_the_window_it_is_no_duplicate(self, clinic: TestClinic) -> None:
        await send(clinic, referrals.bundle(health_card="1112223336"))
        await clinic.days(91)
        other = located(await send(clinic, referrals.bundle(health_card="1112223336")))
        assert (await task_of(clinic, other))["status"] == "accepted"


class TestPatient:
    async def test_the_same_identifier_and_name_is_the_same_patient(self, clinic: TestClinic) -> None:
        one = located(await send(clinic, referrals.bundle(health_card="77")), "Patient")
        again = await send(clinic, referrals.bundle(health_card="77"), as_="second-practice")
        assert located(again, "Patient") == one

    async def test_another_name_on_the_same_identifier_is_a_person_of_their_own_whom_a_coordinator_sees(
        self, clinic: TestClinic
    ) -> None:
        one = located(await send(clinic, referrals.bundle(health_card="78")), "Patient")
        answer = await send(clinic, referrals.bundle(health_card="78", family="Zimmer"))
        assert located(answer, "Patient") != one
        task = await task_of(clinic, located(answer))
        assert task["businessStatus"]["coding"][0]["code"] == "accepted"
        assert "another" not in task["statusReason"]["text"], "nothing of the first is told"
        [doubt] = await work_of(clinic, "coordinator", "code=resolve-identity")
        assert "another name" in doubt["statusReason"]["text"]
        assert [given["valueReference"]["reference"] for given in doubt["input"]] == [f"Patient/{one}"]


class TestRefusal:
    async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_written(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle(programme="acupuncture", intent="option")
        request = referrals.resource(sent, "ServiceRequest")
        request["status"] = "draft"
        referrals.resource(sent, "Patient").pop("identifier")
        referrals.resource(sent, "Patient").pop("name")
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        expressions = {issue["expression"][0] for issue in answer.json()["issue"]}
        assert expressions == {
            "Bundle.entry[1].resource.status",
            "Bundle.entry[1].resource.intent",
            "Bundle.entry[1].resource.code.coding.code",
            "Bundle.entry[0].resource.identifier",
        }
        assert await told(clinic) == []
        for kind in ("ServiceRequest", "Patient", "Task"):
            found = await clinic.as_("coordinator").get(f"/referral/fhir/{kind}")
            assert found.json()["total"] == 0

    async def test_a_bundle_without_a_patient_is_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        sent["entry"] = [
            entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "ServiceRequest"
        ]
        answer = await send(clinic, sent)
        assert answer.status_code == 422
        assert "subject" in str(answer.json()["issue"])

    async def test_a_character_that_no_text_may_have_is_refused(self, clinic: TestClinic) -> None:
        answer = await send(clinic, referrals.bundle(family="Aber\x00nathy"))
        assert 400 <= answer.status_code < 500, answer.text

    async def test_only_a_referrer_sends_referrals_and_a_coordinator_enters_them(
        self, clinic: TestClinic
    ) -> None:
        for party in ("workplace-insurer", "physiatrist", "operator"):
            answer = await send(clinic, referrals.bundle(), as_=party)
            assert answer.status_code == 403, party

    async def test_an_emergency_with_little_else_is_never_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(
            answers={name: None for name in referrals.ANSWERS} | {"saddle-anaesthesia": "Y"},
            kind=None,
            birth_date=None,
        )
        task = await task_of(clinic, located(await send(clinic, sent)))
        assert task["businessStatus"]["coding"][0]["code"] == "emergency-redirected"


class TestDryRun:
    async def test_it_says_what_triage_would_say_and_writes_nothing(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir/ServiceRequest/$validate",
            json=referrals.bundle(answers={"onset-date": "2026-02-20"}),
        )
        assert answer.status_code == 200, answer.text
        said = answer.json()["parameter"]
        assert (
            next(parameter["valueCode"] for parameter in said if parameter["name"] == "verdict") == "decline"
        )
        assert "rapid-access-six-weeks" in str(said)
        assert await told(clinic) == []

    async def test_it_says_how_each_answer_was_read(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(answers={"onset-date": "2025-12"})
        response = next(
            entry["resource"] for entry in sent["entry"] if entry["resource"].get("questionnaire")
        )
        for item in response["item"]:
            if item["linkId"] == "night-pain":
                item["answer"] = [{"valueCoding": {"system": "http://loinc.org", "code": "LA33-6"}}]
            if item["linkId"] == "weight-loss":
                item["answer"] = [{"valueCoding": {"system": "https://vendor.example", "code": "N"}}]
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir/ServiceRequest/$validate", json=sent
        )
        assert answer.status_code == 200, answer.text
        read = {}
        for parameter in answer.json()["parameter"]:
            if parameter["name"] == "answer":
                question, said, _ = parameter["part"]
                read[question["valueCode"]] = said.get("valueCode") or said["valuePeriod"]
        assert read["night-pain"] == "Y"
        assert read["weight-loss"] == "not-answered"
        assert read["onset-date"] == {"start": "2025-12-01", "end": "2025-12-31"}
        assert read["birth-date"]["start"] == "1980-05-17"

    async def test_it_is_not_kept_under_a_key(self, clinic: TestClinic) -> None:
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir/ServiceRequest/$validate",
            json=referrals.bundle(),
            headers={"Idempotency-Key": "one"},
        )
        assert answer.status_code == 200, answer.text
        assert await clinic.databases["referral"].fetch("SELECT FROM idempotency") == []

    async def test_it_lists_what_would_be_refused(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(intent="option")
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir/ServiceRequest/$validate", json=sent
        )
        outcome = answer.json()["parameter"][0]["resource"]
        assert outcome["issue"][0]["expression"] == ["Bundle.entry[1].resource.intent"]


class TestQuestionnaire:
    async def test_it_is_read_and_found_by_its_address(self, clinic: TestClinic) -> None:
        referrer = clinic.as_("family-practice")
        read = (await referrer.get("/referral/fhir/Questionnaire/back-pain-referral")).json()
        found = (await referrer.get(f"/referral/fhir/Questionnaire?url={read['url']}")).json()
        assert found["entry"][0]["resource"] == read
        assert (await referrer.get("/referral/fhir/Questionnaire?url=other")).json()["total"] == 0


def _entry(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "fullUrl": "urn:uuid:0f2c4a5e-33f4-4f6a-8f67-0c1d2e3f4a5b",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }
