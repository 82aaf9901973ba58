"""What is asked of an insurer, what it answers, and what nobody else learns of it."""

import asyncio
from base64 import b64decode
from typing import Any

import httpx
import pytest

from tests.integration.referral.doors import (
    located,
    operate,
    response,
    reviewed,
    send,
    task_of,
    told,
    work_of,
)
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually

WORKPLACE = "workplace-insurer"
_WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def refer(clinic: TestClinic, *, payer: str = WORKPLACE, consent: bool = True, **changes: Any) -> str:
    return located(await send(clinic, referrals.bundle(payer=payer, consent=consent, **changes)))


async def claim_of(clinic: TestClinic, insurer: str = WORKPLACE) -> dict[str, Any]:
    answer = await clinic.as_(insurer).get("/referral/fhir/Claim?_sort=-_lastUpdated")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["entry"][0]["resource"])


async def answer(clinic: TestClinic, body: dict[str, Any], *, as_: str = WORKPLACE) -> httpx.Response:
    return await clinic.as_(as_).post("/referral/fhir/ClaimResponse", json=body)


async def granted(clinic: TestClinic, name: str = "authorization.decided") -> dict[str, Any]:
    await clinic.settle()
    newest = (await clinic.events(name))[-1]
    return {parameter["name"]: parameter for parameter in newest.carried("Parameters")[0]["parameter"]}


async def withdraw(clinic: TestClinic, referral: str) -> None:
    task = await task_of(clinic, referral)
    patient = f"Patient/{task['for']['reference'].rpartition('/')[2]}"
    ended = referrals.a_consent(patient, payer=WORKPLACE, status="inactive")
    given = await operate(clinic, "family-practice", referral, "provide-information", consent=ended)
    assert given.status_code == 200, given.text
    await clinic.settle()


async def audited(clinic: TestClinic, query: str, *, as_: str) -> list[dict[str, Any]]:
    """Read AuditEvents of what the insurer and the coordinator did."""
    answer = await clinic.as_(as_).get(f"/referral/fhir/AuditEvent?{query}&agent={WORKPLACE},coordinator")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json()["entry"]]


class TestRequest:
    async def test_acceptance_puts_the_claim_on_the_insurers_work_list(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        query = f"owner=Organization/{WORKPLACE}&status=requested"
        tasks = await work_of(clinic, WORKPLACE, query)
        assert len(tasks) == 1
        claim = await claim_of(clinic)
        assert tasks[0]["focus"]["reference"] == f"Claim/{claim['id']}"
        assert claim["item"][0]["quantity"]["value"] == 12
        assert claim["referral"]["reference"] == f"ServiceRequest/{referral}"
        coverage = claim["insurance"][0]["coverage"]["reference"]
        assert (await clinic.as_(WORKPLACE).get(f"/referral/fhir/{coverage}")).status_code == 200
        assert (await told(clinic))[-1] == "authorization.requested"
        assert (await granted(clinic, "authorization.requested"))["status"]["valueCode"] == "requested"

    async def test_without_consent_it_is_accepted_and_the_consent_asked_for(self, clinic: TestClinic) -> None:
        referral = await refer(clinic, consent=False)
        task = await task_of(clinic, referral)
        assert task["status"] == "accepted"
        assert "Consent" in task["statusReason"]["text"]
        assert (await told(clinic))[-2:] == ["referral.accepted", "referral.information-requested"]
        for kind in ("Claim", "Task", "Coverage"):
            assert (await clinic.as_(WORKPLACE).get(f"/referral/fhir/{kind}")).json()["total"] == 0
        patient = task["for"]["reference"]
        consent = referrals.a_consent(f"Patient/{patient.rpartition('/')[2]}", payer=WORKPLACE)
        given = await operate(clinic, "family-practice", referral, "provide-information", consent=consent)
        assert given.status_code == 200, given.text
        assert (await told(clinic))[-1] == "authorization.requested"
        assert (await claim_of(clinic))["status"] == "active"

    async def test_a_payer_of_the_public_stream_is_not_asked(self, clinic: TestClinic) -> None:
        located(await send(clinic, referrals.bundle()))
        assert "authorization.requested" not in await told(clinic)


class TestDecision:
    async def test_approved_grants_what_was_asked(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        body = response(
            await claim_of(clinic), "A1", preAuthPeriod={"start": "2026-03-02", "end": "2026-05-31"}
        )
        posted = await answer(clinic, body)
        assert posted.status_code == 201, posted.text
        grant = await granted(clinic)
        assert grant["status"]["valueCode"] == "approved"
        parts = {parameter["name"]: parameter for parameter in grant["grant"]["part"]}
        assert parts["units"]["valueInteger"] == 12
        assert parts["discipline"]["valueCode"] == "physiotherapy"
        assert parts["period"]["valuePeriod"] == {"start": "2026-03-02", "end": "2026-05-31"}
        assert "authorized 12 sessions" in (await task_of(clinic, referral))["statusReason"]["text"]
        assert await work_of(clinic, WORKPLACE, "status=requested") == []
        (ended,) = await work_of(clinic, WORKPLACE, "status=completed")
        assert ended["statusReason"]["coding"][0]["code"] == "authorization-granted"

    async def test_a4_is_pended_although_the_outcome_is_complete(self, clinic: TestClinic) -> None:
        await refer(clinic)
        await answer(clinic, response(await claim_of(clinic), "A4"))
        assert (await told(clinic))[-1] == "authorization.pended"
        assert (await granted(clinic, "authorization.pended"))["status"]["valueCode"] == "pended"

    async def test_a_later_answer_supersedes_the_pended_one(self, clinic: TestClinic) -> None:
        await refer(clinic)
        claim = await claim_of(clinic)
        await answer(clinic, response(claim, "A4"))
        await answer(clinic, response(claim, "A1"))
        assert (await granted(clinic))["status"]["valueCode"] == "approved"

    async def test_a6_reads_the_added_item(self, clinic: TestClinic) -> None:
        await refer(clinic)
        claim = await claim_of(clinic)
        added = {
            "itemSequence": [1],
            "productOrService": claim["item"][0]["productOrService"],
            "quantity": {"value": 8},
            "servicedPeriod": {"start": "2026-03-10", "end": "2026-04-20"},
            "adjudication": [{"category": {"text": "submitted"}}],
        }
        posted = await answer(clinic, response(claim, "A6", addItem=[added]))
        assert posted.status_code == 201, posted.text
        grant = await granted(clinic)
        assert grant["status"]["valueCode"] == "modified"
        assert {parameter["name"]: parameter for parameter in grant["grant"]["part"]}["units"][
            "valueInteger"
        ] == 8

    async def test_denied_gives_the_coordinator_a_task_with_the_reason(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        claim = await claim_of(clinic)
        note = [{"number": 1, "type": "display", "text": "Not related to the accident"}]
        assert (await answer(clinic, response(claim, "A3", processNote=note))).status_code == 201
        work = await work_of(clinic, "coordinator", "code=resolve-denial&status=requested")
        assert "Not related" in work[0]["statusReason"]["text"]
        assert "Not related" in (await task_of(clinic, referral))["statusReason"]["text"]
        assert (await granted(clinic))["reason"]["valueString"] == "Not related to the accident"
        later = await answer(clinic, response(claim, "A1"))
        assert later.status_code == 409, "a denied Claim is not updated"
        finished = await clinic.as_("coordinator").put(
            f"/referral/fhir/Task/{work[0]['id']}",
            json=work[0] | {"status": "completed"},
            headers={"If-Match": f'W/"{work[0]["meta"]["versionId"]}"'},
        )
        assert finished.status_code == 200, finished.text

    @pytest.mark.parametrize(
        ("change", "expression"),
        [
            (lambda claim: response(claim, "A3"), "ClaimResponse.processNote"),
            (lambda claim: response(claim, "A6"), "ClaimResponse.addItem"),
            (
                lambda claim: response(claim, "A1", item=[reviewed(7, "A1")]),
                "ClaimResponse.item[0].itemSequence",
            ),
            (
                lambda claim: response(claim, "A1", item=[reviewed(1, "A1"), reviewed(1, "A4")]),
                "ClaimResponse.item[1].itemSequence",
            ),
            (lambda claim: response(claim, "Z9"), "ClaimResponse.item[0].adjudication.extension"),
            (lambda claim: response(claim, "A2"), "ClaimResponse.item[0]"),
            (lambda claim: response(claim, "A1", use="claim"), "ClaimResponse.use"),
        ],
        ids=[
            "denied without a reason",
            "modified without addItem",
            "unknown item",
            "item twice",
            "unknown action",
            "partial without units",
            "no preauthorization",
        ],
    )
    async def test_an_answer_that_cannot_be_acted_on_is_refused(
        self, clinic: TestClinic, change: Any, expression: str
    ) -> None:
        await refer(clinic)
        posted = await answer(clinic, change(await claim_of(clinic)))
        assert posted.status_code == 422, posted.text
        assert expression in [issue["expression"][0] for issue in posted.json()["issue"]]
        assert (await clinic.as_(WORKPLACE).get("/referral/fhir/ClaimResponse")).json()["total"] == 0
        assert (await told(clinic))[-1] == "authorization.requested"


class TestWhoSees:
    async def test_another_insurer_learns_nothing(self, clinic: TestClinic) -> None:
        await refer(clinic)
        claim = await claim_of(clinic)
        await answer(clinic, response(claim, "A4"))
        other = clinic.as_("motor-insurer")
        coverage = claim["insurance"][0]["coverage"]["reference"]
        for kind in ("Claim", "ClaimResponse", "Coverage", "Task"):
            found = (await other.get(f"/referral/fhir/{kind}")).json()
            assert found["total"] == 0, kind
            assert not found.get("entry")
        for path in (f"Claim/{claim['id']}", f"Claim/{claim['id']}/_history", coverage):
            assert (await other.get(f"/referral/fhir/{path}")).status_code == 404
        posted = await answer(clinic, response(claim, "A1"), as_="motor-insurer")
        assert posted.status_code == 422
        assert "no such Claim" in posted.text
        asked = await other.post("/referral/fhir/Claim/$inquire", json=question("MB-4711"))
        assert asked.json() == {"resourceType": "Parameters"}

    async def test_the_sender_reads_the_claims_of_its_referrals_only_by_their_task(
        self, clinic: TestClinic
    ) -> None:
        await refer(clinic)
        assert (await clinic.as_("family-practice").get("/referral/fhir/Claim")).status_code == 403
        tasks = await work_of(clinic, "family-practice", "status=requested")
        assert tasks == []

    async def test_withdrawn_consent_hides_it_at_once(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        await withdraw(clinic, referral)
        assert "authorization.consent-withdrawn" in await told(clinic)
        for kind in ("Claim", "Coverage", "Task"):
            assert (await clinic.as_(WORKPLACE).get(f"/referral/fhir/{kind}")).json()["total"] == 0
        asked = await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=question("MB-4711"))
        assert asked.json() == {"resourceType": "Parameters"}

    async def test_an_answer_is_not_given_again_after_the_consent_was_withdrawn(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        body, headers = response(await claim_of(clinic), "A1"), {"Idempotency-Key": "one"}
        client = clinic.as_(WORKPLACE)
        first = await client.post("/referral/fhir/ClaimResponse", json=body, headers=headers)
        again = await client.post("/referral/fhir/ClaimResponse", json=body, headers=headers)
        assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
        await withdraw(clinic, referral)
        read = await client.get(f"/referral/fhir/ClaimResponse/{first.json()['id']}")
        refused = await client.post("/referral/fhir/ClaimResponse", json=body, headers=headers)
        assert (refused.status_code, refused.json()) == (404, read.json())

    async def test_a_consent_that_is_withdrawn_while_a_replay_waits_for_its_key_hides_the_answer(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        body, headers = response(await claim_of(clinic), "A1"), {"Idempotency-Key": "one"}
        client = clinic.as_(WORKPLACE)
        assert (await client.post("/referral/fhir/ClaimResponse", json=body, headers=headers)).is_success
        database = clinic.databases["referral"]
        async with database.transaction() as tx:
            await tx.run("SELECT FROM idempotency WHERE client = $1 FOR UPDATE", WORKPLACE)
            replay = asyncio.create_task(
                client.post("/referral/fhir/ClaimResponse", json=body, headers=headers)
            )
            await eventually(lambda: database.fetch(_WAITING))
            await tx.run("UPDATE claim SET consented = false WHERE referral_id = $1", referral)
        assert (await replay).status_code == 404

    async def test_an_inquiry_is_not_kept_under_a_key_and_tells_the_truth_each_time(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        client, headers = clinic.as_(WORKPLACE), {"Idempotency-Key": "one"}
        for returned in (1, 0):
            asked = await client.post(
                "/referral/fhir/Claim/$inquire", json=question("MB-4711"), headers=headers
            )
            assert len(asked.json().get("parameter", [])) == returned
            await withdraw(clinic, referral)
        kept = await clinic.databases["referral"].fetch("SELECT FROM idempotency")
        assert kept == []

    async def test_an_inquiry_is_audited_with_its_patients_and_its_question(self, clinic: TestClinic) -> None:
        task = await task_of(clinic, await refer(clinic))
        for by in (WORKPLACE, "coordinator"):
            await clinic.as_(by).post("/referral/fhir/Claim/$inquire", json=question("MB-4711"))
            (event,) = await audited(clinic, "_count=1", as_="privacy-officer")
            named = [entity.get("what", {}).get("reference") for entity in event["entity"]]
            assert task["for"]["reference"] in named
            (query,) = [entity["query"] for entity in event["entity"] if "query" in entity]
            assert b64decode(query).decode().endswith("/Claim/$inquire?member-id=MB-4711")

    async def test_a_consent_that_ends_while_the_answer_waits_for_its_turn_refuses_it(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic)
        body = response(await claim_of(clinic), "A1")
        database = clinic.databases["referral"]
        async with database.transaction() as tx:
            await tx.run("SELECT FROM referral WHERE id = $1 FOR UPDATE", referral)
            posted = asyncio.create_task(answer(clinic, body))
            await eventually(lambda: database.fetch(_WAITING))
            await tx.run("UPDATE claim SET consented = false WHERE referral_id = $1", referral)
        refused = await posted
        assert (refused.status_code, "no such Claim" in refused.text) == (422, True)
        assert not await database.fetch("SELECT FROM claim_response")

    async def test_a_consent_that_runs_out_hides_it_on_the_next_day(self, clinic: TestClinic) -> None:
        sent = referrals.bundle(payer=WORKPLACE)
        referrals.resource(sent, "Consent")["provision"]["period"] = {"end": "2026-03-04"}
        located(await send(clinic, sent))
        insurer = clinic.as_(WORKPLACE)
        await clinic.days(2)
        assert (await insurer.get("/referral/fhir/Claim")).json()["total"] == 1
        await clinic.days(1)
        assert (await insurer.get("/referral/fhir/Claim")).json()["total"] == 0


class TestInquiry:
    async def test_it_answers_with_claim_current_answer_status_turn_and_units(
        self, clinic: TestClinic
    ) -> None:
        await refer(clinic)
        claim = await claim_of(clinic)
        asked = await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=question("MB-4711"))
        first = standing(asked)
        (bundle,) = (parameter["resource"] for parameter in asked.json()["parameter"])
        address = f"http://clinic.test/referral/fhir/Claim/{claim['id']}"
        assert [entry["fullUrl"] for entry in bundle["entry"]] == [address, f"urn:uuid:{claim['id']}"]
        assert first["status"]["valueCode"] == "requested"
        assert first["turn"]["valueCode"] == "insurer"
        await answer(clinic, response(claim, "A4"))
        await answer(clinic, response(claim, "A1"))
        asked = await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=question("MB-4711"))
        then = standing(asked)
        assert then["status"]["valueCode"] == "approved"
        assert {parameter["name"]: parameter for parameter in then["grant"]["part"]}["units"][
            "valueInteger"
        ] == 12
        entries = asked.json()["parameter"][0]["resource"]["entry"]
        kinds = [entry["resource"]["resourceType"] for entry in entries]
        assert kinds == ["Claim", "ClaimResponse", "Parameters"]

    async def test_there_is_no_question_for_everything(self, clinic: TestClinic) -> None:
        body = {"resourceType": "Parameters", "parameter": [{"name": "claim", "valueString": "all"}]}
        asked = await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=body)
        assert asked.status_code == 422

    async def test_a_claim_by_example_asks_too(self, clinic: TestClinic) -> None:
        await refer(clinic)
        member = {"type": {"coding": [{"code": "MB"}]}, "value": "MB-4711"}
        example = {
            name: value
            for name, value in (await claim_of(clinic)).items()
            if name not in ("id", "meta", "identifier", "referral")
        } | {"patient": {"identifier": member}}
        asked = await clinic.as_(WORKPLACE).post("/referral/fhir/Claim/$inquire", json=example)
        assert standing(asked)["status"]["valueCode"] == "requested"


def question(member: str) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "member-id", "valueIdentifier": {"value": member}}],
    }


def standing(asked: httpx.Response) -> dict[str, Any]:
    assert asked.status_code == 200, asked.text
    bundle = asked.json()["parameter"][0]["resource"]
    return {parameter["name"]: parameter for parameter in bundle["entry"][-1]["resource"]["parameter"]}
