"""A URL of another server names nothing of ours, also where its id is one of ours."""

from typing import Any

import pytest

from tests.integration.referral.doors import located, operate, response, send, work_of
from tests.support import referrals
from tests.support.clinic import BASE_URL, TestClinic

OTHER = "https://other.example/referral/fhir"


async def sent(clinic: TestClinic, **members: Any) -> tuple[str, str]:
    """Send a referral; give its id and its patient's."""
    answer = await send(clinic, referrals.bundle(**members))
    await clinic.settle()
    return located(answer), located(answer, "Patient")


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("ServiceRequest?subject={}", "Patient"),
        ("ServiceRequest?patient:Patient={}", "Patient"),
        ("Task?focus={}", "ServiceRequest"),
        ("Communication?based-on={}", "ServiceRequest"),
        ("Provenance?target={}", "ServiceRequest"),
        ("QuestionnaireResponse?patient={}", "Patient"),
    ],
)
async def test_in_a_search(clinic: TestClinic, path: str, about: str) -> None:
    referral, patient = await sent(clinic)
    name = f"{about}/{referral if about == 'ServiceRequest' else patient}"
    totals = [
        (await clinic.as_("family-practice").get(f"/referral/fhir/{path.format(f'{base}{name}')}"))
        for base in ("", f"{BASE_URL}/referral/fhir/", f"{OTHER}/", f"{BASE_URL}.org/referral/fhir/")
    ]
    counts = [answer.json().get("total") for answer in totals]
    assert counts[0] == counts[1]
    assert counts[2:] == [0, 0]
    assert path.startswith(("Communication", "Provenance")) or counts[0] >= 1


async def test_as_the_patient_of_a_new_referral(clinic: TestClinic) -> None:
    _, patient = await sent(clinic)
    request = referrals.a_request(f"Patient/{patient}")
    theirs = referrals.a_request(f"{OTHER}/Patient/{patient}")
    ours = referrals.a_request(f"{BASE_URL}/referral/fhir/Patient/{patient}")
    answers = [
        await clinic.as_("family-practice").post("/referral/fhir/ServiceRequest", json=one)
        for one in (request, ours, theirs)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 422]
    assert answers[2].json()["issue"][0]["expression"] == ["ServiceRequest.subject"]


async def test_in_what_is_provided(clinic: TestClinic) -> None:
    referral, patient = await sent(clinic)
    for base, status in (("", 200), (f"{BASE_URL}/referral/fhir/", 200), (f"{OTHER}/", 422)):
        answers = referrals.a_response(f"{base}Patient/{patient}")
        given = await operate(clinic, "family-practice", referral, "provide-information", answers=answers)
        assert given.status_code == status, given.text


async def test_as_the_claim_and_the_patient_of_an_answer(clinic: TestClinic) -> None:
    await sent(clinic, payer="workplace-insurer")
    answer = await clinic.as_("workplace-insurer").get("/referral/fhir/Claim")
    claim = answer.json()["entry"][0]["resource"]
    decided = response(claim, "A1")
    theirs = {"request": {"reference": f"{OTHER}/Claim/{claim['id']}"}}
    about = {"patient": {"reference": f"{OTHER}/{claim['patient']['reference']}"}}
    insurer = {"insurer": {"reference": f"{OTHER}/Organization/workplace-insurer"}}
    client = clinic.as_("workplace-insurer")
    for wrong in (theirs, about):
        refused = await client.post("/referral/fhir/ClaimResponse", json=decided | wrong)
        assert refused.status_code == 422, refused.text
    assert (await client.get("/referral/fhir/ClaimResponse")).json()["total"] == 0
    taken = await client.post("/referral/fhir/ClaimResponse", json=decided | insurer)
    assert taken.status_code == 201


async def test_as_a_payer(clinic: TestClinic) -> None:
    bundle = referrals.bundle()
    coverage = referrals.resource(bundle, "Coverage")
    coverage["payor"] = [{"reference": f"{OTHER}/Organization/workplace-insurer"}]
    assert (await send(clinic, bundle)).status_code == 200
    await clinic.settle()
    assert await work_of(clinic, "workplace-insurer", "status=requested") == []
