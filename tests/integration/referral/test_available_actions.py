"""`$available-actions`: what a party may do now, which is what the calls then say."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from services.referral.states import TASK_ALLOWED, Authorization, State
from shared.auth.assertion import client_assertion, token_request, token_url
from shared.auth.keys import load_client_key
from shared.fhir import check
from tests.integration.referral.doors import located, operate, response, send, work_of
from tests.support import referrals
from tests.support.actions import Action, declared, drifting, offered
from tests.support.clinic import BASE_URL, TestClinic
from tests.support.identity import keys_of_run
from tests.support.sql import sql

_IN_STATE = """
UPDATE referral SET state = :state, unacknowledged = :waits,
    merged_into = CASE WHEN :merged THEN suspected_of END
WHERE id = :id
"""
_DEAD = """
UPDATE patient SET deceased = :died WHERE id = (SELECT patient_id FROM referral WHERE id = :id)
"""
# What every operation on a referral needs beside its state.
_SAID = [
    {"name": "reason", "valueString": "Because"},
    {"name": "text", "valueString": "A word"},
    {"name": "programme", "valueCode": "rapid-access"},
    {"name": "priority", "valueCode": "asap"},
]


async def refer(clinic: TestClinic, **changes: Any) -> str:
    return located(await send(clinic, referrals.bundle(**changes)))


async def put(clinic: TestClinic, referral: str, state: State, *, patient_died: bool) -> None:
    """Put a referral into a state, and its patient among the living or the dead."""
    waits = state is State.EMERGENCY_REDIRECTED
    async with clinic.databases["referral"].transaction() as tx:
        await sql(tx, _DEAD, died=patient_died, id=referral)
        await sql(tx, _IN_STATE, state=str(state), waits=waits, merged=state is State.MERGED, id=referral)


class TestAReferral:
    async def test_offers_each_party_its_own_acts_with_where_and_how(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        address = f"/referral/fhir/ServiceRequest/{referral}"
        for_sender = await offered(clinic, "family-practice", address)
        spoken = ["request-another-time", "send-communication"]
        assert list(for_sender) == ["acknowledge", "provide-information", *spoken, "revoke"]
        for_clinic = await offered(clinic, "coordinator", address)
        acts = ["accept", "decline", "request-information", "set-priority", "remind", "merge", "close"]
        assert list(for_clinic) == [*for_sender, *acts]
        assert not for_clinic["revoke"].available
        assert for_clinic["revoke"].parts["reason"]["coding"][0]["code"] == "sender-does-this"
        close = for_clinic["close"]
        assert (close.parts["kind"], close.parts["method"]) == ("operation", "POST")
        assert close.parts["definition"].endswith("/OperationDefinition/ServiceRequest-close")
        assert close.address == f"{address}/$close"
        assert close.available
        assert "rapid-access" in for_clinic["accept"].allowed["programme"]

    async def test_says_why_an_act_is_not_possible_with_a_code_and_its_arguments(
        self, clinic: TestClinic
    ) -> None:
        address = f"/referral/fhir/ServiceRequest/{await refer(clinic)}"
        accept = (await offered(clinic, "coordinator", address))["accept"]
        assert not accept.available
        assert accept.parts["reason"]["text"] == "The referral is accepted: accepting is not possible."
        assert accept.parts["reason"]["coding"][0]["code"] == "not-in-this-state"

    async def test_is_offered_nothing_that_the_token_never_allows(self, clinic: TestClinic) -> None:
        address = f"/referral/fhir/ServiceRequest/{await refer(clinic)}/$available-actions"
        key = load_client_key(keys_of_run(), "coordinator")
        asked = client_assertion("coordinator", key, token_url(BASE_URL))
        form = token_request(asked, scope="user/ServiceRequest.r")
        token = (await clinic.anonymous().post("/auth/token", data=form)).json()["access_token"]
        reader = {"authorization": f"Bearer {token}"}
        answer = await clinic.anonymous().get(address, headers=reader)
        assert (answer.status_code, answer.json()) == (200, {"resourceType": "Parameters"})

    async def test_of_somebody_else_is_not_there(self, clinic: TestClinic) -> None:
        address = f"/referral/fhir/ServiceRequest/{await refer(clinic)}"
        answer = await clinic.as_("second-practice").get(f"{address}/$available-actions")
        assert answer.status_code == 404
        nobody = f"/referral/fhir/ServiceRequest/{uuid4()}/$available-actions"
        assert (await clinic.as_("coordinator").get(nobody)).status_code == 404

    async def test_is_a_read_and_changes_nothing(self, clinic: TestClinic) -> None:
        address = f"/referral/fhir/ServiceRequest/{await refer(clinic)}"
        before = await clinic.as_("coordinator").get(address)
        await offered(clinic, "coordinator", address)
        after = await clinic.as_("coordinator").get(address)
        assert (before.headers["etag"], before.content) == (after.headers["etag"], after.content)
        trail = await clinic.as_("coordinator").get("/referral/fhir/AuditEvent?_count=2")
        asked = trail.json()["entry"][1]["resource"]
        assert (asked["action"], asked["subtype"][0]["code"]) == ("R", "read")

    @pytest.mark.parametrize("patient_died", [False, True], ids=["the patient lives", "the patient died"])
    @pytest.mark.parametrize("state", State)
    async def test_is_offered_just_what_is_not_refused_for_its_state(
        self, clinic: TestClinic, state: State, patient_died: bool
    ) -> None:
        first = await refer(clinic, health_card="5", identifier="one")
        other = await refer(clinic, health_card="5", identifier="two")
        into = {"name": "into", "valueReference": {"reference": f"ServiceRequest/{first}"}}
        response = {"name": "answers", "resource": referrals.a_response("unused", {"night-pain": "N"})}
        response["resource"].pop("subject")

        async def reset() -> None:
            await put(clinic, other, state, patient_died=patient_died)

        for party in ("family-practice", "coordinator"):

            async def call(action: Action, party: str = party) -> httpx.Response:
                said = declared(action, *_SAID, into, response)
                body = {"resourceType": "Parameters", **({"parameter": said} if said else {})}
                return await clinic.as_(party).post(action.address, json=body)

            address = f"/referral/fhir/ServiceRequest/{other}"
            assert await drifting(clinic, party, address, state=state, reset=reset, call=call) == []

    async def test_of_a_patient_who_has_died_is_accepted_by_nobody_and_says_so(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle()
        referrals.resource(sent, "Patient")["deceasedBoolean"] = True
        referral = located(await send(clinic, sent))
        actions = await offered(clinic, "coordinator", f"/referral/fhir/ServiceRequest/{referral}")
        accept = actions["accept"]
        assert not accept.available
        assert accept.parts["reason"]["coding"][0]["code"] == "patient-died"
        assert accept.parts["reason"]["text"] == "The patient has died."
        assert actions["decline"].available
        answer = await operate(clinic, "coordinator", referral, "accept", reason="Because")
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["details"] == accept.parts["reason"]


class TestAClaim:
    @pytest.mark.parametrize("standing", Authorization)
    async def test_is_offered_to_its_insurer_just_as_it_may_be_answered(
        self, clinic: TestClinic, standing: Authorization
    ) -> None:
        await refer(clinic, payer="workplace-insurer")
        insurer = clinic.as_("workplace-insurer")
        claim = (await insurer.get("/referral/fhir/Claim")).json()["entry"][0]["resource"]

        async def reset() -> None:
            async with clinic.databases["referral"].transaction() as tx:
                await sql(tx, "UPDATE claim SET standing = :standing", standing=str(standing))

        async def call(action: Action) -> httpx.Response:
            (allowed,) = action.allowed.values()
            return await insurer.post(action.address, json=response(claim, allowed[0]))

        address = f"/referral/fhir/Claim/{claim['id']}"
        assert list(await offered(clinic, "workplace-insurer", address)) == ["answer", "cancel"]
        assert (
            await drifting(clinic, "workplace-insurer", address, state=standing, reset=reset, call=call) == []
        )

    async def test_offers_a_coordinator_nothing(self, clinic: TestClinic) -> None:
        await refer(clinic, payer="workplace-insurer")
        coordinator = clinic.as_("coordinator")
        claim = (await coordinator.get("/referral/fhir/Claim")).json()["entry"][0]["resource"]
        assert await offered(clinic, "coordinator", f"/referral/fhir/Claim/{claim['id']}") == {}


class TestATask:
    @pytest.mark.parametrize("status", TASK_ALLOWED)
    @pytest.mark.parametrize("code", ["review-referral", "merge-duplicate", "process-request"])
    async def test_is_offered_just_what_may_become_of_it(
        self, clinic: TestClinic, code: str, status: str
    ) -> None:
        await refer(clinic, health_card="1", answers={"cancer-history": "Y"})
        for _ in range(2):
            await refer(clinic, health_card="2")
        task = (await work_of(clinic, "coordinator", f"code={code}"))[0]
        address = f"/referral/fhir/Task/{task['id']}"

        async def reset() -> None:
            async with clinic.databases["referral"].transaction() as tx:
                await sql(tx, "UPDATE task SET status = :status WHERE id = :id", status=status, id=task["id"])

        async def call(action: Action) -> httpx.Response:
            coordinator = clinic.as_("coordinator")
            version = (await coordinator.get(address)).headers["etag"]
            wanted = {**task, "status": action.allowed["status"][0]}
            if "statusReason" in action.allowed:
                wanted["statusReason"] = {"text": "Not ours"}
            return await coordinator.put(action.address, json=wanted, headers={"if-match": version})

        assert await drifting(clinic, "coordinator", address, state=status, reset=reset, call=call) == []


class TestADefinition:
    async def test_of_each_operation_that_the_statement_names_is_there_and_is_fhir(
        self, clinic: TestClinic
    ) -> None:
        http = clinic.anonymous()
        rest = (await http.get("/referral/fhir/metadata")).json()["rest"][0]
        named = [
            *rest["operation"],
            *(operation for resource in rest["resource"] for operation in resource.get("operation", [])),
        ]
        assert len(named) > 10
        for operation in named:
            key = operation["definition"].rpartition("/")[2]
            answer = await http.get(f"/referral/fhir/OperationDefinition/{key}")
            assert answer.status_code == 200, key
            received = await check.receive(answer.content, allowed=("OperationDefinition",))
            assert (received.data["code"], received.data["url"]) == (
                operation["name"],
                operation["definition"],
            )

    async def test_names_what_is_asked_and_what_is_allowed(self, clinic: TestClinic) -> None:
        answer = await clinic.anonymous().get("/referral/fhir/OperationDefinition/ServiceRequest-accept")
        parameters = {parameter["name"]: parameter for parameter in answer.json()["parameter"]}
        assert (parameters["reason"]["min"], parameters["reason"]["type"]) == (1, "string")
        assert "rapid-access" in parameters["programme"]["documentation"]
        assert parameters["return"]["type"] == "ServiceRequest"

    async def test_says_that_a_dry_run_changes_nothing(self, clinic: TestClinic) -> None:
        address = "/referral/fhir/OperationDefinition/ServiceRequest-"
        for name, writes in (("validate", False), ("accept", True)):
            answer = await clinic.anonymous().get(address + name)
            assert answer.json()["affectsState"] is writes

    async def test_that_nobody_made_is_not_found(self, clinic: TestClinic) -> None:
        answer = await clinic.anonymous().get("/referral/fhir/OperationDefinition/Claim-pay")
        assert answer.status_code == 404


async def test_a_wrong_state_is_told_before_anything_about_the_parameters(clinic: TestClinic) -> None:
    """The reason of the refusal is the one that was offered."""
    emergency = await refer(clinic, answers={"saddle-anaesthesia": "Y"}, programme=None)
    stranger = {"reference": f"ServiceRequest/{await refer(clinic, health_card='7')}"}
    offers = await offered(clinic, "coordinator", f"/referral/fhir/ServiceRequest/{emergency}")
    for verb, said in (
        ("accept", {"reason": "Because", "programme": "no-such"}),
        ("merge", {"into": stranger}),
    ):
        answer = await operate(clinic, "coordinator", emergency, verb, **said)
        assert answer.status_code == 409
        assert answer.json()["issue"][0]["details"] == offers[verb].parts["reason"]


async def test_an_act_of_another_party_is_refused_in_a_sentence(clinic: TestClinic) -> None:
    answer = await operate(clinic, "family-practice", await refer(clinic), "close", reason="no")
    told = answer.json()["issue"][0]["details"]["text"]
    assert (answer.status_code, told) == (403, "Only a coordinator may close; you are a referrer.")


async def test_a_referral_that_is_not_there_is_named_where_it_stands(clinic: TestClinic) -> None:
    into = {"reference": "ServiceRequest/1"}
    answer = await operate(clinic, "coordinator", await refer(clinic), "merge", into=into)
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["expression"] == ["Parameters.parameter.where(name='into')"]


async def test_a_refusal_for_the_state_says_its_reason_as_a_code(clinic: TestClinic) -> None:
    referral = await refer(clinic)
    answer = await operate(clinic, "coordinator", referral, "merge", into={"reference": "ServiceRequest/1"})
    assert answer.status_code == 404
    answer = await operate(clinic, "coordinator", referral, "decline", reason="no")
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["expression"]) == (409, ["ServiceRequest"])
    assert issue["details"]["coding"][0]["code"] == "not-in-this-state"
