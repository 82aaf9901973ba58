"""Who the patient is, in every way to say it, and who else a sending may name without being the patient."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.referral.doors import located, operate, send, told
from tests.support import referrals
from tests.support.clinic import TestClinic

CARD = "1234509876"


def subject_of(sent: dict[str, Any], **subject: Any) -> dict[str, Any]:
    referrals.resource(sent, "ServiceRequest")["subject"] = subject
    return sent


def with_resource(sent: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    kind = resource["resourceType"]
    entry = {
        "fullUrl": f"urn:uuid:{uuid4()}",
        "resource": resource,
        "request": {"method": "POST", "url": kind},
    }
    return sent | {"entry": [*sent["entry"], entry]}


def scan(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "TVJJ"}}],
        **members,
    }


class TestTheSubject:
    @pytest.mark.parametrize(
        "subject",
        [
            {"identifier": {"system": referrals.HEALTH_CARD, "value": CARD}},
            {"type": "Patient", "identifier": {"system": referrals.HEALTH_CARD, "value": CARD}},
            {"reference": f"Patient?identifier={referrals.HEALTH_CARD}|{CARD}"},
            {"reference": "Patient?identifier=" + f"{referrals.HEALTH_CARD}%7C{CARD}"},
        ],
    )
    @pytest.mark.parametrize("known", [False, True])
    async def test_may_be_named_by_an_identifier(
        self, clinic: TestClinic, subject: dict[str, Any], known: bool
    ) -> None:
        first = await send(clinic, referrals.bundle(health_card=CARD)) if known else None
        sent = subject_of(referrals.bundle(health_card=CARD, programme="chronic-pain"), **subject)
        if known:
            del sent["entry"][0]
            for entry in sent["entry"]:
                for member in ("subject", "beneficiary"):
                    if member in entry["resource"]:
                        entry["resource"][member] = subject
        answer = await send(clinic, sent)
        assert answer.status_code == 200, answer.text
        stored = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{located(answer)}")
        patient = located(first if first is not None else answer, "Patient")
        assert stored.json()["subject"] == {"reference": f"Patient/{patient}"}

    async def test_may_be_the_address_of_ours_and_never_of_another_server(self, clinic: TestClinic) -> None:
        patient = located(await send(clinic, referrals.bundle(health_card=CARD)), "Patient")
        for base, status in (("http://clinic.test/referral/fhir", 200), ("https://emr.example/fhir", 422)):
            sent = subject_of(
                referrals.bundle(programme="chronic-pain"), reference=f"{base}/Patient/{patient}"
            )
            sent["entry"] = [
                entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "ServiceRequest"
            ]
            answer = await send(clinic, sent)
            assert answer.status_code == status, f"{base}: {answer.text}"

    async def test_may_be_contained_in_a_bundle(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        patient = sent["entry"].pop(0)["resource"]
        request = referrals.resource(sent, "ServiceRequest")
        request |= {"contained": [patient | {"id": "p"}], "subject": {"reference": "#p"}}
        sent["entry"] = [
            entry for entry in sent["entry"] if entry["resource"]["resourceType"] == "ServiceRequest"
        ]
        answer = await send(clinic, sent)
        stored = await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{located(answer)}")
        assert stored.json()["subject"]["reference"].startswith("Patient/")


class TestOtherPeople:
    @pytest.mark.parametrize("member", ["subscriber", "policyHolder", "payor"])
    async def test_of_the_insurance_are_not_another_patient(self, clinic: TestClinic, member: str) -> None:
        sent = referrals.bundle()
        mother = referrals.a_patient(family="Mother", health_card="999")
        sent = with_resource(sent, mother)
        reference = {"reference": sent["entry"][-1]["fullUrl"]}
        referrals.resource(sent, "Coverage")[member] = [reference] if member == "payor" else reference
        answer = await send(clinic, sent)
        assert answer.status_code == 200, answer.text
        (issue,) = answer.json()["entry"][-1]["response"]["outcome"]["issue"]
        assert issue["details"]["text"] == "another person than the patient is not kept"
        found = await clinic.as_("coordinator").get("/referral/fhir/Patient?family=Mother")
        assert found.json()["total"] == 0

    async def test_who_recorded_or_may_be_called_are_not_another_patient(self, clinic: TestClinic) -> None:
        sent = referrals.bundle()
        sent = with_resource(sent, referrals.a_patient(family="Mother", health_card="999"))
        mother = {"reference": sent["entry"][-1]["fullUrl"]}
        provenance = {
            "resourceType": "Provenance",
            "target": [{"reference": sent["entry"][1]["fullUrl"]}],
            "recorded": "2026-03-01T09:00:00Z",
            "agent": [{"who": mother}],
        }
        sent = with_resource(sent, provenance)
        sent["entry"][0]["resource"]["contact"] = [{"name": {"family": "Mother"}}]
        referrals.resource(sent, "QuestionnaireResponse")["source"] = mother
        assert (await send(clinic, sent)).status_code == 200

    async def test_whom_nothing_names_are_another_patient(self, clinic: TestClinic) -> None:
        sent = with_resource(referrals.bundle(), referrals.a_patient(family="Mother", health_card="999"))
        answer = await send(clinic, sent)
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].resource"]


SOMEBODY = {"system": referrals.HEALTH_CARD, "value": "somebody-else"}


class TestAnAttachmentAboutSomebodyElse:
    @pytest.mark.parametrize(
        "subject",
        [
            {"identifier": SOMEBODY},
            {"type": "Patient", "identifier": SOMEBODY},
            {"reference": "Patient/somebody"},
            {"reference": "https://emr.example/fhir/Patient/somebody"},
            {"reference": f"Patient?identifier={referrals.HEALTH_CARD}|somebody-else"},
        ],
    )
    async def test_is_refused_in_the_bundle(self, clinic: TestClinic, subject: dict[str, Any]) -> None:
        answer = await send(clinic, with_resource(referrals.bundle(), scan(subject=subject)))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[4].resource")
        assert await told(clinic) == []

    async def test_is_refused_where_the_identifier_contradicts_the_reference(
        self, clinic: TestClinic
    ) -> None:
        sent = referrals.bundle()
        subject = {"reference": sent["entry"][0]["fullUrl"], "identifier": SOMEBODY}
        answer = await send(clinic, with_resource(sent, scan(subject=subject)))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[4].resource.subject.identifier"]

    @pytest.mark.parametrize(
        "subject",
        [
            {"identifier": SOMEBODY},
            {"type": "Patient", "identifier": SOMEBODY},
            {"reference": "Patient/somebody"},
            {"reference": "https://emr.example/fhir/Patient/somebody"},
            {"reference": f"Patient?identifier={referrals.HEALTH_CARD}|somebody-else"},
        ],
    )
    async def test_is_refused_when_it_comes_later(self, clinic: TestClinic, subject: dict[str, Any]) -> None:
        referral = located(await send(clinic, referrals.bundle()))
        heard = await told(clinic)
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", information=scan(subject=subject)
        )
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"][0].startswith(
            "Parameters.parameter[0].resource.subject"
        )
        assert await told(clinic) == heard

    async def test_named_by_the_patients_own_identifier_is_taken_later(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle(health_card=CARD)))
        own = {"identifier": {"system": referrals.HEALTH_CARD, "value": CARD}}
        answer = await operate(
            clinic, "family-practice", referral, "provide-information", information=scan(subject=own)
        )
        assert answer.status_code == 200, answer.text

    async def test_is_refused_later_where_the_address_contradicts_the_identifier(
        self, clinic: TestClinic
    ) -> None:
        _, other = await two_people(clinic)
        answer = await send(clinic, referrals.bundle(health_card=CARD, programme="chronic-pain"))
        both = {"reference": f"Patient/{other}", "identifier": OWN}
        related = {"related": [{"reference": f"ServiceRequest/{located(answer)}"}]}
        document = await clinic.as_("family-practice").post(
            "/referral/fhir/DocumentReference", json=scan(subject=both, context=related)
        )
        assert document.status_code == 422, document.text
        assert document.json()["issue"][0]["expression"] == ["DocumentReference.subject"]
        own = {"reference": "https://emr.example/fhir/Patient/12", "identifier": OWN}
        taken = await clinic.as_("family-practice").post(
            "/referral/fhir/DocumentReference", json=scan(subject=own, context=related)
        )
        assert taken.status_code == 201, taken.text


OWN = {"system": referrals.HEALTH_CARD, "value": CARD}


def without_patient(subject: dict[str, Any], *, programme: str = "chronic-pain") -> dict[str, Any]:
    """Make a referral of somebody who is known: it is about them by their address or identifier alone."""
    sent = referrals.bundle(programme=programme)
    del sent["entry"][0]
    for entry in sent["entry"]:
        for member in ("subject", "beneficiary"):
            if member in entry["resource"]:
                entry["resource"][member] = subject
    return sent


async def two_people(clinic: TestClinic) -> tuple[str, str]:
    """Let one practice refer two people; give their ids."""
    first = await send(clinic, referrals.bundle(health_card=CARD))
    second = await send(clinic, referrals.bundle(health_card="somebody-else", family="Other"))
    return located(first, "Patient"), located(second, "Patient")


def about(kind: str, subject: dict[str, Any]) -> dict[str, Any]:
    if kind == "Coverage":
        return {
            "resourceType": kind,
            "status": "active",
            "beneficiary": subject,
            "payor": [{"display": "x"}],
        }
    if kind == "DocumentReference":
        return scan(subject=subject)
    status = {"status": "final"} if kind == "Observation" else {}
    return {"resourceType": kind, "code": {"text": "Sciatica"}, "subject": subject, **status}


class TestWhereNoPatientIsSentAlong:
    @pytest.mark.parametrize("kind", ["DocumentReference", "Observation", "Condition", "Coverage"])
    @pytest.mark.parametrize("beside", [{}, {"identifier": OWN}])
    async def test_the_address_of_somebody_else_is_refused(
        self, clinic: TestClinic, kind: str, beside: dict[str, Any]
    ) -> None:
        _, other = await two_people(clinic)
        heard = await told(clinic)
        resource = about(kind, {"reference": f"Patient/{other}", **beside})
        answer = await send(clinic, with_resource(without_patient({"identifier": OWN}), resource))
        assert answer.status_code == 422, answer.text
        member = "beneficiary" if kind == "Coverage" else "subject"
        assert answer.json()["issue"][0]["expression"] == [f"Bundle.entry[3].resource.{member}"]
        assert await told(clinic) == heard

    @pytest.mark.parametrize(("value", "status"), [("somebody-else", 422), (CARD, 200)])
    async def test_a_contained_patient_is_held_to_the_identifier(
        self, clinic: TestClinic, value: str, status: int
    ) -> None:
        await two_people(clinic)
        inside = {"resourceType": "Patient", "id": "p", "identifier": [OWN | {"value": value}]}
        resource = scan(subject={"reference": "#p"}, contained=[inside])
        answer = await send(clinic, with_resource(without_patient({"identifier": OWN}), resource))
        assert answer.status_code == status, answer.text

    async def test_an_address_and_an_identifier_of_two_people_are_refused(self, clinic: TestClinic) -> None:
        _, other = await two_people(clinic)
        answer = await send(clinic, without_patient({"reference": f"Patient/{other}", "identifier": OWN}))
        assert answer.status_code == 422, answer.text
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.subject"]

    async def test_every_way_to_name_the_one_person_is_taken(self, clinic: TestClinic) -> None:
        patient, _ = await two_people(clinic)
        ours = f"http://clinic.test/referral/fhir/Patient/{patient}"
        ways = {
            "chronic-pain": ({"reference": ours, "identifier": OWN}, f"Patient/{patient}"),
            "workplace-rehabilitation": ({"identifier": OWN}, f"Patient/{patient}/_history/1"),
            "motor-vehicle-rehabilitation": (
                {"reference": "Patient/local-1", "identifier": OWN},
                "Patient/local-1",
            ),
        }
        for programme, (subject, text) in ways.items():
            sent = without_patient(subject, programme=programme)
            answer = await send(clinic, with_resource(sent, scan(subject={"reference": text})))
            assert located(answer), answer.text
