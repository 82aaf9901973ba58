"""A coordinator enters what came by fax, telephone or letter for its sender, who reads it like its own; and
what a patient asks for, where a programme allows it.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.clinic import Clinic
from shared.fhir.codes import ENTRY_EXTENSION
from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.integration.referral.test_one_person import read
from tests.support import referrals
from tests.support.attachments import PDF
from tests.support.clinic import TestClinic
from tests.support.context import example_clinic

CARD = "6660001112"
SENDER = {"reference": "Organization/family-practice"}


def came(way: str | dict[str, Any], arrived: dict[str, Any] | None) -> dict[str, Any]:
    said = {"valueCode": way} if isinstance(way, str) else way
    parts: list[dict[str, Any]] = [{"url": "way", **said}]
    parts += [] if arrived is None else [{"url": "arrived", **arrived}]
    return {"url": ENTRY_EXTENSION, "extension": parts}


def faxed(
    *,
    requester: dict[str, Any] | None = None,
    way: str | dict[str, Any] | None = "fax",
    arrived: dict[str, Any] | None = None,
    **bundle: Any,
) -> dict[str, Any]:
    sent = referrals.bundle(**{"health_card": CARD, **bundle})
    request = referrals.resource(sent, "ServiceRequest")
    request["requester"] = SENDER if requester is None else requester
    if way is not None:
        request["extension"] = [came(way, arrived)]
    return sent


async def enter(clinic: TestClinic, body: dict[str, Any] | None = None) -> httpx.Response:
    return await send(clinic, faxed() if body is None else body, as_="coordinator")


def inputs(task: dict[str, Any], name: str) -> list[Any]:
    return [
        next(value for member, value in given.items() if member.startswith("value"))
        for given in task["input"]
        if given["type"].get("coding", [{}])[0].get("code") == name
    ]


async def provenance(clinic: TestClinic, referral: str, *, as_: str) -> list[dict[str, Any]]:
    answer = await clinic.as_(as_).get("/referral/fhir/Provenance")
    resources = [entry["resource"] for entry in answer.json().get("entry", [])]
    target = f"ServiceRequest/{referral}/_history/1"
    return [one for one in resources if one["target"][0]["reference"] == target]


class TestAFax:
    async def test_is_its_senders_as_if_it_had_sent_it(self, clinic: TestClinic) -> None:
        answer = await enter(clinic)
        referral, patient = located(answer), located(answer, "Patient")
        task = await task_of(clinic, referral)
        assert business_status(task) == "accepted"
        assert task["requester"]["reference"] == "Organization/family-practice"
        assert (await read(clinic, patient, as_="family-practice"))["id"] == patient
        for kind in ("Coverage", "QuestionnaireResponse"):
            found = await clinic.as_("family-practice").get(f"/referral/fhir/{kind}?patient={patient}")
            assert found.json()["total"] == 1, kind
        other = await clinic.as_("second-practice").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert other.status_code == 404

    async def test_says_how_it_came_who_wrote_it_down_and_whose_it_is(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, faxed(way="letter")))
        assert inputs(await task_of(clinic, referral), "came-by") == ["letter"]
        [said] = await provenance(clinic, referral, as_="family-practice")
        agents = {agent["type"]["coding"][0]["code"]: agent["who"]["reference"] for agent in said["agent"]}
        assert agents == {"enterer": "Device/coordinator", "author": "Organization/family-practice"}
        assert "it came by letter" in said["activity"]["text"]
        assert "referral.entered" in await told(clinic)

    async def test_that_a_sender_sends_itself_is_not_entered(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, faxed()))
        assert inputs(await task_of(clinic, referral), "came-by") == []
        assert "referral.entered" not in await told(clinic)

    @pytest.mark.parametrize(
        "requester",
        [
            {"reference": "Organization/family-practice"},
            {"reference": "http://clinic.test/referral/fhir/Organization/family-practice"},
            {"identifier": {"system": "https://practices.example/id", "value": "elm-street"}},
        ],
    )
    async def test_names_its_sender_by_id_or_identifier(
        self, clinic: TestClinic, requester: dict[str, Any]
    ) -> None:
        referral = located(await enter(clinic, faxed(requester=requester)))
        assert (await task_of(clinic, referral))["requester"]["reference"] == "Organization/family-practice"

    async def test_names_its_sender_by_the_doctor_who_works_there(self, clinic: TestClinic) -> None:
        sent = faxed(requester={"reference": "urn:uuid:role"})
        role = {
            "resourceType": "PractitionerRole",
            "organization": {"identifier": {"system": "https://practices.example/id", "value": "bayview"}},
        }
        entry = {"fullUrl": "urn:uuid:role", "resource": role}
        sent["entry"].append(entry | {"request": {"method": "POST", "url": "PractitionerRole"}})
        referral = located(await enter(clinic, sent))
        task = await task_of(clinic, referral, as_="second-practice")
        assert task["requester"]["reference"] == "Organization/second-practice"

    @pytest.mark.parametrize(
        ("changes", "element", "allowed"),
        [
            (
                {"requester": {"reference": "Organization/nobody"}},
                "requester",
                "Organization/second-practice",
            ),
            (
                {"requester": {"reference": "https://other.example/fhir/Organization/family-practice"}},
                "requester",
                "/family-practice",
            ),
            ({"requester": {"display": "Dr Somebody"}}, "requester", "or the patient who refers themselves"),
            ({"way": "pigeon"}, "extension", "fax, telephone, letter"),
            ({"way": None}, "extension", "fax, telephone, letter"),
            ({"way": {"valueCoding": {"code": "fax"}}}, "extension", "fax, telephone, letter"),
            ({"way": {"extension": [{"url": "x", "valueCode": "fax"}]}}, "extension", "fax, telephone"),
            ({"arrived": {"valuePeriod": {"start": "2026-03-01"}}}, "extension", "a day"),
            ({"arrived": {"valueDate": "2026-03-03"}}, "extension", "not to come"),
            ({"arrived": {"valueDateTime": "2026-03-02T13:00:01Z"}}, "extension", "not to come"),
            ({"arrived": {"valueDate": "2026-02"}}, "extension", "a day"),
            ({"arrived": {"valueDate": "2025-02-27"}}, "extension", "within the last year"),
        ],
    )
    async def test_without_what_is_needed_is_refused_and_nothing_written(
        self, clinic: TestClinic, changes: dict[str, Any], element: str, allowed: str
    ) -> None:
        said = changes.get("said")
        sent = faxed(**{name: value for name, value in changes.items() if name != "said"})
        if said is not None:
            parts = [{"url": "way", "valueCodeableConcept": said}]
            extension = {"url": ENTRY_EXTENSION, "extension": parts}
            referrals.resource(sent, "ServiceRequest")["extension"] = [extension]
        answer = await enter(clinic, sent)
        assert answer.status_code == 422, answer.text
        [issue] = answer.json()["issue"]
        assert issue["expression"] == [f"Bundle.entry[1].resource.{element}"]
        assert allowed in issue["details"]["text"]
        found = await clinic.as_("coordinator").get("/referral/fhir/ServiceRequest")
        assert found.json()["total"] == 0

    @pytest.mark.parametrize(
        ("arrived", "sent_at", "due_on"),
        [
            ({"valueDate": "2026-02-27"}, "2026-02-27T05:00:00Z", "2026-03-27"),
            ({"valueDateTime": "2026-02-27T15:30:00-05:00"}, "2026-02-27T20:30:00Z", "2026-03-27"),
            ({"valueDate": "2026-03-02"}, "2026-03-02T05:00:00Z", "2026-03-30"),
            (None, "2026-03-02T13:00:00Z", "2026-03-30"),
        ],
    )
    async def test_counts_from_the_day_on_which_it_came(
        self, clinic: TestClinic, arrived: dict[str, str] | None, sent_at: str, due_on: str
    ) -> None:
        referral = located(await enter(clinic, faxed(arrived=arrived)))
        task = await task_of(clinic, referral)
        assert [one.replace(".000Z", "Z") for one in inputs(task, "sent-at")] == [sent_at]
        assert inputs(task, "due-on") == [due_on]

    async def test_comes_as_a_bare_request_too(self, clinic: TestClinic) -> None:
        sent = faxed()
        request = referrals.resource(sent, "ServiceRequest")
        contained = [{**referrals.resource(sent, "Patient"), "id": "p"}]
        body = request | {"contained": contained, "subject": {"reference": "#p"}}
        answer = await clinic.as_("coordinator").post("/referral/fhir/ServiceRequest", json=body)
        assert answer.status_code == 201, answer.text
        assert (await task_of(clinic, answer.json()["id"]))["requester"]["reference"].endswith(
            "family-practice"
        )

    async def test_is_tried_first_without_being_written(self, clinic: TestClinic) -> None:
        tried = await clinic.as_("coordinator").post(
            "/referral/fhir/ServiceRequest/$validate", json=faxed(way=None)
        )
        assert tried.status_code == 200
        assert "fax, telephone, letter" in tried.text
        right = await clinic.as_("coordinator").post("/referral/fhir/ServiceRequest/$validate", json=faxed())
        assert "accept" in right.text

    async def test_twice_at_once_is_one_referral(self, clinic: TestClinic) -> None:
        sent = faxed(identifier="F-1")
        answers = await asyncio.gather(*(enter(clinic, sent) for _ in range(4)))
        assert len({located(answer) for answer in answers}) == 1

    async def test_under_one_key_is_answered_once(self, clinic: TestClinic) -> None:
        headers = {"Idempotency-Key": "fax-1"}
        client, sent = clinic.as_("coordinator"), faxed()
        answers = [await client.post("/referral/fhir", json=sent, headers=headers) for _ in range(2)]
        assert answers[0].status_code == 200, answers[0].text
        assert answers[0].content == answers[1].content

    async def test_that_the_sender_sends_later_is_a_correction_of_the_same(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, faxed(identifier="F-1")))
        again = referrals.bundle(health_card=CARD, identifier="F-1", programme="chronic-pain")
        assert located(await send(clinic, again)) == referral

    async def test_is_not_entered_otherwise_where_the_sender_has_sent_it_itself(
        self, clinic: TestClinic
    ) -> None:
        own = referrals.bundle(health_card=CARD, identifier="F-1")
        referral = located(await send(clinic, own))
        heard = await told(clinic)
        refused = await enter(clinic, faxed(identifier="F-1", programme="chronic-pain"))
        assert refused.status_code == 409, refused.text
        [issue] = refused.json()["issue"]
        assert issue["expression"] == ["ServiceRequest.identifier"]
        assert "The sender itself does this" in issue["details"]["text"]
        assert await told(clinic) == heard
        assert located(await send(clinic, own)) == referral

    @pytest.mark.parametrize("day", ["2026-02-20", "2026-03-02"])
    async def test_is_not_entered_again_as_having_come_at_another_time(
        self, clinic: TestClinic, day: str
    ) -> None:
        first = faxed(identifier="F-1", arrived={"valueDate": "2026-03-01"})
        referral = located(await enter(clinic, first))
        heard = await told(clinic)
        refused = await enter(clinic, faxed(identifier="F-1", arrived={"valueDate": day}))
        assert refused.status_code == 409, refused.text
        [issue] = refused.json()["issue"]
        assert issue["expression"] == ["ServiceRequest.extension"]
        assert "2026-03-01T05:00:00" in issue["details"]["text"]
        assert await told(clinic) == heard
        for arrived in (None, {"valueDateTime": "2026-03-01T00:00:00-05:00"}):
            letter = faxed(identifier="F-1", way="letter", arrived=arrived)
            assert located(await enter(clinic, letter)) == referral
        assert inputs(await task_of(clinic, referral), "due-on") == ["2026-03-29"]

    async def test_is_matched_as_the_senders_own_word(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, referrals.bundle(health_card=CARD)), "Patient")
        moved = faxed(requester={"reference": "Organization/second-practice"}, programme="chronic-pain")
        said = [{"system": "phone", "value": "+1-416-555-0303"}]
        referrals.resource(moved, "Patient")["telecom"] = said
        assert located(await enter(clinic, moved), "Patient") == patient
        assert (await read(clinic, patient, as_="second-practice"))["telecom"] == said
        assert "telecom" not in await read(clinic, patient, as_="family-practice")
        assert len(await work_of(clinic, "coordinator", "code=update-patient&status=requested")) == 1

    async def test_names_no_patient_by_id_whom_its_sender_does_not_know(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, referrals.bundle(health_card=CARD)), "Patient")
        sent = faxed(requester={"reference": "Organization/second-practice"})
        request = referrals.resource(sent, "ServiceRequest")
        body = request | {"subject": {"reference": f"Patient/{patient}"}}
        refused = await clinic.as_("coordinator").post("/referral/fhir/ServiceRequest", json=body)
        assert refused.status_code == 422
        assert "not known from this sender" in refused.text
        body["requester"] = SENDER
        taken = await clinic.as_("coordinator").post("/referral/fhir/ServiceRequest", json=body)
        assert taken.status_code == 201, taken.text

    @pytest.mark.parametrize("who", ["physiatrist", "workplace-insurer", "operator"])
    async def test_is_the_coordinators_to_enter(self, clinic: TestClinic, who: str) -> None:
        assert (await send(clinic, faxed(), as_=who)).status_code == 403

    async def test_of_another_site_is_not_corrected_from_here(self) -> None:
        async with TestClinic(services=("referral",), clinic=_of_two_sites()) as clinic:
            assert (await send(clinic, faxed(identifier="F-1"))).status_code == 200
            refused = await send(clinic, faxed(identifier="F-1"), as_="coordinator")
            assert refused.status_code == 409
            assert "another site" in refused.text
            sent = faxed(identifier="F-1")
            request = referrals.resource(sent, "ServiceRequest")
            contained = [{**referrals.resource(sent, "Patient"), "id": "p"}]
            body = request | {"contained": contained, "subject": {"reference": "#p"}, "identifier": []}
            del body["identifier"]
            found = await clinic.as_("coordinator").post(
                "/referral/fhir/ServiceRequest",
                json=body,
                headers={"If-None-Exist": f"identifier={referrals.SENDER}|F-1"},
            )
            assert found.status_code == 409


class TestItsScan:
    async def test_is_uploaded_first_and_then_the_senders(self, clinic: TestClinic) -> None:
        binary = await _upload(clinic)
        assert (await clinic.as_("family-practice").get(f"/referral/fhir/Binary/{binary}")).status_code == 404
        assert (await clinic.as_("coordinator").get(f"/referral/fhir/Binary/{binary}")).status_code == 200
        answer = await enter(clinic, _with_scan(binary))
        assert answer.status_code == 200, answer.text
        for who in ("family-practice", "coordinator"):
            got = await clinic.as_(who).get(f"/referral/fhir/Binary/{binary}")
            assert (got.status_code, got.content) == (200, PDF), who
        assert (await clinic.as_("second-practice").get(f"/referral/fhir/Binary/{binary}")).status_code == 404

    async def test_comes_after_the_referral_too(self, clinic: TestClinic) -> None:
        answer = await enter(clinic)
        referral, patient = located(answer), located(answer, "Patient")
        body = _document(await _upload(clinic)) | {
            "subject": {"reference": f"Patient/{patient}"},
            "context": {"related": [{"reference": f"ServiceRequest/{referral}"}]},
        }
        sent = await clinic.as_("coordinator").post("/referral/fhir/DocumentReference", json=body)
        assert sent.status_code == 201, sent.text
        found = await clinic.as_("family-practice").get("/referral/fhir/DocumentReference")
        assert found.json()["total"] == 1

    async def test_is_not_put_into_what_a_sender_has_sent_itself(self, clinic: TestClinic) -> None:
        answer = await send(clinic, referrals.bundle(health_card=CARD))
        body = _document(await _upload(clinic)) | {
            "subject": {"reference": f"Patient/{located(answer, 'Patient')}"},
            "context": {"related": [{"reference": f"ServiceRequest/{located(answer)}"}]},
        }
        refused = await clinic.as_("coordinator").post("/referral/fhir/DocumentReference", json=body)
        assert refused.status_code == 409
        assert "The sender itself does this" in refused.text

    async def test_of_one_sender_is_not_named_by_another(self, clinic: TestClinic) -> None:
        binary = await _upload(clinic)
        await enter(clinic, _with_scan(binary))
        stolen = _with_scan(binary, health_card="1112223334")
        assert (await send(clinic, stolen, as_="second-practice")).status_code == 422
        uploaded = await _upload(clinic)
        assert (await send(clinic, _with_scan(uploaded, health_card="1112223335"))).status_code == 422


class TestWhatItsSenderSaysByTelephone:
    async def test_is_done_for_it_by_the_coordinator(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, faxed(answers={"pregnancy": None})))
        assert business_status(await task_of(clinic, referral)) == "information-requested"
        response = referrals.a_response(f"Patient/{(await _patient_of(clinic, referral))}")
        answer = await operate(clinic, "coordinator", referral, "provide-information", answers=response)
        assert answer.status_code == 200, answer.text
        assert business_status(await task_of(clinic, referral)) == "accepted"
        revoked = await operate(clinic, "coordinator", referral, "revoke", reason="the practice rang")
        assert revoked.status_code == 200
        assert business_status(await task_of(clinic, referral)) == "revoked"

    @pytest.mark.parametrize(
        "operation", ["provide-information", "revoke", "request-another-time", "acknowledge"]
    )
    async def test_is_not_for_what_it_has_sent_itself(self, clinic: TestClinic, operation: str) -> None:
        answer = await send(clinic, referrals.bundle(health_card=CARD))
        referral, patient = located(answer), located(answer, "Patient")
        said: dict[str, Any] = {"reason": "the practice rang"}
        if operation == "provide-information":
            said = {"answers": referrals.a_response(f"Patient/{patient}")}
        refused = await operate(clinic, "coordinator", referral, operation, **said)
        assert refused.status_code == 409, refused.text
        assert "The sender itself does this" in refused.text
        assert business_status(await task_of(clinic, referral)) == "accepted"

    async def test_of_an_emergency_is_a_task_to_telephone_at_once(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, faxed(answers={_an_emergency(): "Y"})))
        assert business_status(await task_of(clinic, referral)) == "emergency-redirected"
        [work] = await work_of(clinic, "coordinator", "code=telephone-referrer&status=requested")
        assert work["priority"] == "stat"
        assert "It came by fax: tell the sender by telephone." in work["statusReason"]["text"]
        assert "referral.emergency-escalated" in await told(clinic)
        of_sender = await work_of(clinic, "family-practice", "code=acknowledge-emergency&status=requested")
        assert len(of_sender) == 1, "its sender may acknowledge it as well"
        known = await operate(clinic, "coordinator", referral, "acknowledge", reason="told by telephone")
        assert known.status_code == 200
        assert not await work_of(clinic, "coordinator", "code=telephone-referrer&status=requested")


@pytest_asyncio.fixture
async def open_clinic() -> AsyncIterator[TestClinic]:
    """A clinic to whose rapid access patients may refer themselves."""
    async with TestClinic(services=("referral",), clinic=allowing("rapid-access")) as clinic:
        yield clinic


class TestASelfReferral:
    async def test_is_taken_where_its_programme_allows_it_and_nobody_outside_reads_it(
        self, open_clinic: TestClinic
    ) -> None:
        answer = await enter(open_clinic, by_the_patient())
        referral, patient = located(answer), located(answer, "Patient")
        task = await task_of(open_clinic, referral, as_="coordinator")
        assert business_status(task) == "accepted"
        assert task["requester"]["reference"] == "Organization/harbour-spine"
        request = await open_clinic.as_("coordinator").get(f"/referral/fhir/ServiceRequest/{referral}")
        assert request.json()["requester"]["reference"] == f"Patient/{patient}"
        for who in ("family-practice", "second-practice"):
            found = await open_clinic.as_(who).get(f"/referral/fhir/ServiceRequest/{referral}")
            assert found.status_code == 404, who
        [said] = await provenance(open_clinic, referral, as_="coordinator")
        assert said["agent"][1]["who"]["reference"] == f"Patient/{patient}"

    async def test_is_declined_by_a_rule_where_its_programme_does_not(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, by_the_patient()))
        task = await task_of(clinic, referral, as_="coordinator")
        assert business_status(task) == "declined"
        assert "Patients cannot refer themselves to this programme" in task["statusReason"]["text"]
        assert "(rule no-self-referral" in task["statusReason"]["text"]

    async def test_is_declined_at_once_where_no_programme_does(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, by_the_patient(kind=None)))
        task = await task_of(clinic, referral, as_="coordinator")
        assert business_status(task) == "declined"

    async def test_with_a_red_flag_is_an_emergency_first(self, clinic: TestClinic) -> None:
        referral = located(await enter(clinic, by_the_patient(answers={_an_emergency(): "Y"})))
        task = await task_of(clinic, referral, as_="coordinator")
        assert business_status(task) == "emergency-redirected"
        [work] = await work_of(clinic, "coordinator", "code=telephone-referrer&status=requested")
        assert "The patient has referred themselves" in work["statusReason"]["text"]

    async def test_of_a_patient_whom_the_clinic_knows_is_theirs(self, open_clinic: TestClinic) -> None:
        patient = located(await send(open_clinic, referrals.bundle(health_card=CARD)), "Patient")
        again = by_the_patient(programme="rapid-access")
        answer = await enter(open_clinic, again)
        assert located(answer, "Patient") == patient
        found = await open_clinic.as_("family-practice").get("/referral/fhir/ServiceRequest")
        assert found.json()["total"] == 1, "the family doctor sees its own and not the patient's"

    async def test_that_a_practice_sends_is_the_practices(self, open_clinic: TestClinic) -> None:
        referral = located(await send(open_clinic, by_the_patient()))
        task = await task_of(open_clinic, referral)
        assert task["requester"]["reference"] == "Organization/family-practice"


def by_the_patient(**bundle: Any) -> dict[str, Any]:
    sent = faxed(way="telephone", **bundle)
    request = referrals.resource(sent, "ServiceRequest")
    request["requester"] = request["subject"]
    return sent


def allowing(*programmes: str) -> Clinic:
    clinic = example_clinic()
    allowed = [
        one.model_copy(update={"self_referral": True}) if one.id in programmes else one
        for one in clinic.programmes
    ]
    return clinic.model_copy(update={"programmes": tuple(allowed)})


def _of_two_sites() -> Clinic:
    """A clinic whose coordinator is at a site that has no programme."""
    clinic = example_clinic()
    other = clinic.sites[0].model_copy(update={"id": "ottawa"})
    clients = [
        one.model_copy(update={"site": "ottawa"}) if one.id == "coordinator" else one
        for one in clinic.clients
    ]
    return clinic.model_copy(update={"sites": (*clinic.sites, other), "clients": tuple(clients)})


def _an_emergency() -> str:
    from services.referral.models.questions import EMERGENCY_FLAGS

    return next(iter(EMERGENCY_FLAGS))


async def _upload(clinic: TestClinic) -> str:
    made = await clinic.as_("coordinator").post(
        "/referral/fhir/Binary", content=PDF, headers={"content-type": "application/pdf"}
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _document(binary: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Fax"},
        "content": [{"attachment": {"contentType": "application/pdf", "url": f"Binary/{binary}"}}],
    }


def _with_scan(binary: str, **bundle: Any) -> dict[str, Any]:
    sent = faxed(**bundle)
    subject = referrals.resource(sent, "ServiceRequest")["subject"]
    document = _document(binary) | {"subject": subject}
    request = {"method": "POST", "url": "DocumentReference"}
    sent["entry"].append({"fullUrl": "urn:uuid:scan", "resource": document, "request": request})
    return sent


async def _patient_of(clinic: TestClinic, referral: str) -> str:
    found = await clinic.as_("coordinator").get(f"/referral/fhir/ServiceRequest/{referral}")
    return str(found.json()["subject"]["reference"].rpartition("/")[2])
