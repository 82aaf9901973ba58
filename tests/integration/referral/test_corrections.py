"""The same referral sent again: equal content gets the first answer, other content is a correction."""

import asyncio
from copy import deepcopy
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.integration.referral.test_receiving import bare, message
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

EMERGENCY = {"saddle-anaesthesia": "Y"}
DISCHARGED = """
UPDATE referral SET state = 'discharged', status = 'completed', turn = 'nobody' WHERE id = :id
"""


def corrected(sent: dict[str, Any], **answers: str | None) -> dict[str, Any]:
    """Send the same again with other answers."""
    again = deepcopy(sent)
    response = referrals.resource(again, "QuestionnaireResponse")
    fresh = referrals.a_response(response["subject"]["reference"], answers)
    response["item"] = fresh["item"]
    return again


def in_another_envelope(sent: dict[str, Any]) -> dict[str, Any]:
    """Write the same content with other fullUrls, ids, meta and order of entries."""
    again = deepcopy(sent)
    urls = {entry["fullUrl"]: f"urn:uuid:{uuid4()}" for entry in again["entry"]}
    for entry in again["entry"]:
        entry["fullUrl"] = urls[entry["fullUrl"]]
        entry["resource"] = _renamed(entry["resource"], urls) | {
            "id": uuid4().hex,
            "meta": {"lastUpdated": "2026-03-01T09:00:00Z", "source": f"urn:{uuid4().hex}"},
        }
    again["entry"].reverse()
    return again | {"id": uuid4().hex, "timestamp": "2026-03-02T10:00:00Z"}


def _renamed(node: Any, urls: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: urls.get(value, value) if isinstance(value, str) else _renamed(value, urls)
            for key, value in node.items()
        }
    return [_renamed(part, urls) for part in node] if isinstance(node, list) else node


async def read(clinic: TestClinic, address: str) -> dict[str, Any]:
    answer = await clinic.as_("family-practice").get(f"/referral/fhir/{address}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


class TestTheSameContent:
    async def test_in_another_envelope_gets_the_first_answer_again(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="same", payer="motor-insurer")
        first = await send(clinic, sent)
        heard = await told(clinic)
        for again in (sent, in_another_envelope(sent), in_another_envelope(sent)):
            answer = await send(clinic, again)
            assert answer.status_code == 200, answer.text
            by_place = {entry["response"]["location"]: entry for entry in first.json()["entry"]}
            assert by_place == {entry["response"]["location"]: entry for entry in answer.json()["entry"]}
            kinds = [entry["response"]["location"].partition("/")[0] for entry in answer.json()["entry"]]
            assert kinds == [entry["resource"]["resourceType"] for entry in again["entry"]]
        assert await told(clinic) == heard

    async def test_by_another_door_changes_nothing(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="doors")
        await send(clinic, sent)
        heard = await told(clinic)
        sender = clinic.as_("family-practice")
        answer = await sender.post("/referral/fhir/$process-message", json=message(sent))
        assert answer.status_code == 200, answer.text
        assert await told(clinic) == heard


class TestACorrection:
    async def test_is_a_new_version_that_says_what_differs_and_is_triaged_again(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle(identifier="c-1", answers={"night-pain": None})
        first = await send(clinic, sent)
        referral = located(first)
        assert business_status(await task_of(clinic, referral)) == "information-requested"
        answer = await send(clinic, corrected(sent))
        assert answer.status_code == 200, answer.text
        assert located(answer) == referral
        versions = {
            entry["response"]["location"].split("/")[0]: entry["response"]["location"].rpartition("/")[2]
            for entry in answer.json()["entry"]
        }
        assert versions["ServiceRequest"] == versions["QuestionnaireResponse"] == "2"
        assert versions["Coverage"] == "1"
        task = await task_of(clinic, referral)
        assert business_status(task) == "accepted"
        assert "The sender corrected: significant unexpected night pain." in task["statusReason"]["text"]
        assert (await told(clinic))[3:] == ["referral.corrected", "referral.triaged", "referral.accepted"]
        response = located(first, "QuestionnaireResponse")
        history = await read(clinic, f"QuestionnaireResponse/{response}/_history")
        assert history["total"] == 2
        everything = await read(clinic, "QuestionnaireResponse")
        assert everything["total"] == 1

    async def test_sent_twice_and_by_ten_at_once_is_one(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-2", answers={"night-pain": None})
        await send(clinic, sent)
        better = corrected(sent)
        answers = await asyncio.gather(*(send(clinic, in_another_envelope(better)) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        assert (await told(clinic)).count("referral.corrected") == 1

    async def test_back_to_what_was_said_first_is_another_correction(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-3", answers={"cancer-history": "Y"})
        referral = located(await send(clinic, sent))
        await send(clinic, corrected(sent))
        answer = await send(clinic, sent)
        assert located(answer) == referral
        assert business_status(await task_of(clinic, referral)) != "accepted" or (
            await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        )
        assert (await told(clinic)).count("referral.corrected") == 2

    async def test_of_words_alone_is_told_and_changes_no_verdict(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-4")
        referral = located(await send(clinic, sent))
        again = deepcopy(sent)
        referrals.resource(again, "ServiceRequest")["note"] = [{"text": "prefers mornings"}]
        assert (await send(clinic, again)).status_code == 200
        stored = await read(clinic, f"ServiceRequest/{referral}")
        assert stored["note"] == [{"text": "prefers mornings"}]
        assert (await told(clinic))[3:] == ["referral.corrected"]
        assert business_status(await task_of(clinic, referral)) == "accepted"

    async def test_of_the_priority_is_told(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-5")
        referral = located(await send(clinic, sent))
        again = deepcopy(sent)
        referrals.resource(again, "ServiceRequest")["priority"] = "urgent"
        await send(clinic, again)
        assert "the priority" in (await task_of(clinic, referral))["statusReason"]["text"]

    async def test_by_a_condition_that_names_it_is_a_correction_too(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-6")
        await send(clinic, sent)
        answer = await clinic.as_("family-practice").post(
            "/referral/fhir/ServiceRequest",
            json=bare(corrected(sent, **EMERGENCY)),
            headers={"If-None-Exist": f"identifier={referrals.SENDER}|c-6"},
        )
        assert answer.status_code == 200, answer.text
        assert "referral.redirected-to-emergency" in await told(clinic)

    async def test_keeps_what_is_no_longer_sent_and_adds_what_is_new(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="c-7", payer="motor-insurer", consent=False)
        referral = located(await send(clinic, sent))
        again = deepcopy(sent)
        subject = referrals.resource(sent, "QuestionnaireResponse")["subject"]["reference"]
        consent = referrals.a_consent(subject, payer="motor-insurer")
        again["entry"].append(
            {
                "fullUrl": f"urn:uuid:{uuid4()}",
                "resource": consent,
                "request": {"method": "POST", "url": "Consent"},
            }
        )
        assert (await send(clinic, again)).status_code == 200
        assert "authorization.requested" in await told(clinic)
        assert business_status(await task_of(clinic, referral)) == "accepted"


class TestARedFlagThatComesLater:
    async def test_is_an_emergency_at_once_before_and_after_acceptance(self, clinic: TestClinic) -> None:
        for number, answers in enumerate(
            ({}, {"night-pain": None}, {"pregnancy": "pregnant"}, {"weight-loss": "Y"})
        ):
            sent = referrals.bundle(identifier=f"e-{number}", answers=answers)
            referral = located(await send(clinic, sent))
            before = (await told(clinic)).count("referral.redirected-to-emergency")
            answer = await send(clinic, corrected(sent, **EMERGENCY))
            assert answer.status_code == 200, answer.text
            assert (await told(clinic)).count("referral.redirected-to-emergency") == before + 1
            asked = await work_of(clinic, "family-practice", "code=acknowledge-emergency&status=requested")
            assert len(asked) == 1
            assert (await operate(clinic, "family-practice", referral, "acknowledge")).status_code == 200

    @pytest.mark.parametrize("end", ["revoke", "close", "discharge"])
    async def test_is_told_after_the_end_too_where_nothing_else_is_taken(
        self, clinic: TestClinic, end: str
    ) -> None:
        sent = referrals.bundle(identifier="over")
        referral = located(await send(clinic, sent))
        if end == "discharge":
            async with clinic.databases["referral"].transaction() as tx:
                await sql(tx, DISCHARGED, id=referral)
        else:
            party = "family-practice" if end == "revoke" else "coordinator"
            assert (await operate(clinic, party, referral, end, reason="moved")).status_code == 200
        heard = await told(clinic)
        refused = await send(clinic, corrected(sent, **{"night-pain": "Y"}))
        assert refused.status_code == 409
        [issue] = refused.json()["issue"]
        assert issue["details"]["coding"][0]["code"] == "referral-is-over"
        assert await told(clinic) == heard
        stored = await read(clinic, f"ServiceRequest/{referral}/_history")
        answer = await send(clinic, corrected(sent, **EMERGENCY))
        assert answer.status_code == 200, answer.text
        assert (await told(clinic))[len(heard) :][:3] == [
            "referral.corrected",
            "referral.triaged",
            "referral.redirected-to-emergency",
        ]
        assert (await read(clinic, f"ServiceRequest/{referral}/_history"))["total"] == stored["total"] + 1
        assert (await operate(clinic, "family-practice", referral, "acknowledge")).status_code == 200
        task = await task_of(clinic, referral)
        assert (
            business_status(task) == {"revoke": "revoked", "close": "closed", "discharge": "discharged"}[end]
        )

    async def test_that_was_told_and_acknowledged_is_not_told_twice(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="twice")
        referral = located(await send(clinic, sent))
        await send(clinic, corrected(sent, **EMERGENCY))
        await operate(clinic, "family-practice", referral, "acknowledge")
        await send(clinic, corrected(sent, **EMERGENCY, **{"weight-loss": "UNK"}))
        assert (await told(clinic)).count("referral.redirected-to-emergency") == 1

    async def test_and_is_taken_back_is_looked_at_by_a_person(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(identifier="back", answers=EMERGENCY)
        referral = located(await send(clinic, sent))
        assert (await send(clinic, corrected(sent))).status_code == 200
        assert business_status(await task_of(clinic, referral)) == "emergency-redirected"
        [review] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        assert "corrected what had made it an emergency" in review["statusReason"]["text"]

    async def test_of_the_urgent_kind_is_looked_at_today_while_the_care_goes_on(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle(identifier="urgent")
        referral = located(await send(clinic, sent))
        await send(clinic, corrected(sent, **{"infection-signs": "Y"}))
        assert business_status(await task_of(clinic, referral)) == "accepted"
        [review] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
        assert "today" in review["statusReason"]["text"]
        done = await clinic.as_("coordinator").put(
            f"/referral/fhir/Task/{review['id']}",
            json=review | {"status": "completed"},
            headers={"If-Match": f'W/"{review["meta"]["versionId"]}"'},
        )
        assert done.status_code == 200, done.text

    async def test_of_the_urgent_kind_that_is_provided_after_acceptance_is_looked_at_too(
        self, clinic: TestClinic
    ) -> None:
        referral = located(await send(clinic, referrals.bundle()))
        late = referrals.a_response("x", dict.fromkeys(referrals.ANSWERS) | {"infection-signs": "Y"})
        late.pop("subject")
        answer = await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        assert answer.status_code == 200, answer.text
        assert len(await work_of(clinic, "coordinator", "code=review-referral&status=requested")) == 1


class TestWho:
    async def test_another_given_name_on_the_same_card_is_looked_at_by_a_person(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle(identifier="w-1", health_card="41")
        referral = located(await send(clinic, sent))
        again = deepcopy(sent)
        referrals.resource(again, "Patient")["name"][0]["given"] = ["Nora"]
        answer = await send(clinic, again)
        assert answer.status_code == 200, answer.text
        assert len(await work_of(clinic, "coordinator", "code=review-referral&status=requested")) == 1
        assert business_status(await task_of(clinic, referral)) == "accepted"

    async def test_somebody_else_altogether_is_refused(self, clinic: TestClinic) -> None:
        await send(clinic, referrals.bundle(identifier="w-2"))
        answer = await send(clinic, referrals.bundle(identifier="w-2", birth_date="1990-01-01"))
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["expression"] == ["ServiceRequest.identifier"]


async def test_what_an_older_version_took_gets_its_first_answer_where_no_fact_differs(
    clinic: TestClinic,
) -> None:
    sent = referrals.bundle(identifier="old")
    first = await send(clinic, sent)
    async with clinic.databases["referral"].transaction() as tx:
        await sql(tx, "UPDATE referral SET content = NULL")
    heard = await told(clinic)
    again = await send(clinic, sent)
    assert (again.status_code, located(again)) == (200, located(first))
    assert await told(clinic) == heard
    assert (await send(clinic, corrected(sent, **EMERGENCY))).status_code == 200
    assert "referral.redirected-to-emergency" in await told(clinic)


async def test_a_correction_and_a_decision_at_once_happen_in_one_order_or_the_other(
    clinic: TestClinic,
) -> None:
    for number in range(4):
        sent = referrals.bundle(identifier=f"race-{number}", answers={"cancer-history": "Y"})
        referral = located(await send(clinic, sent))
        corrects = send(clinic, corrected(sent, **EMERGENCY))
        decides = operate(clinic, "coordinator", referral, "accept", reason="seen")
        answer, decided = await asyncio.gather(corrects, decides)
        assert answer.status_code == 200, answer.text
        assert decided.status_code in (200, 409), decided.text
        assert (
            len(await work_of(clinic, "family-practice", "code=acknowledge-emergency&status=requested"))
            == number + 1
        )
