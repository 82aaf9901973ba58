"""Tasks are found by where the referral stands and who sent it, Provenance by target, Claims by number."""

from typing import Any

import pytest

from tests.integration.referral.doors import located, send
from tests.support import referrals
from tests.support.clinic import TestClinic

STANDING = "https://lumbar.care/fhir/CodeSystem/business-status"


async def _found(clinic: TestClinic, query: str, *, by: str = "coordinator") -> list[dict[str, Any]]:
    answer = await clinic.as_(by).get(f"/referral/fhir/{query}")
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["total"] == len(bundle.get("entry", []))
    return [entry["resource"] for entry in bundle.get("entry", [])]


class TestTasks:
    async def test_are_found_by_where_the_referral_stands(self, clinic: TestClinic) -> None:
        accepted = located(await send(clinic, referrals.bundle()))
        asked = located(await send(clinic, referrals.bundle(answers={"onset-date": None})))
        for code, referral in (("accepted", accepted), ("information-requested", asked)):
            for text in (code, f"{STANDING}|{code}"):
                (task,) = await _found(clinic, f"Task?business-status={text}")
                assert task["focus"]["reference"] == f"ServiceRequest/{referral}"
        assert len(await _found(clinic, "Task?business-status=accepted,information-requested")) == 2
        assert await _found(clinic, "Task?business-status=https://other.example|accepted") == []
        assert len(await _found(clinic, "Task?business-status:not=accepted&code=process-request")) == 1

    async def test_are_counted_without_being_sent(self, clinic: TestClinic) -> None:
        located(await send(clinic, referrals.bundle()))
        path = "/referral/fhir/Task?business-status=accepted&_summary=count"
        counted = (await clinic.as_("coordinator").get(path)).json()
        assert (counted["total"], "entry" in counted) == (1, False)

    async def test_are_found_by_who_sent_the_referral(self, clinic: TestClinic) -> None:
        located(await send(clinic, referrals.bundle()))
        other = await clinic.as_("second-practice").post("/referral/fhir", json=referrals.bundle())
        assert other.status_code == 200
        for practice in ("family-practice", "second-practice"):
            (task,) = await _found(clinic, f"Task?requester=Organization/{practice}&code=process-request")
            assert task["requester"]["reference"].endswith(f"Organization/{practice}")
        assert await _found(clinic, "Task?requester=second-practice", by="family-practice") == []
        wrong = await clinic.as_("coordinator").get("/referral/fhir/Task?requester=Practitioner/x")
        assert wrong.json()["issue"][0]["expression"] == ["requester"]


async def test_provenance_is_found_by_the_patient_whom_it_is_about(clinic: TestClinic) -> None:
    located(await send(clinic, referrals.bundle()))
    (patient,) = await _found(clinic, "Patient")
    changed = patient | {"gender": "female"}
    answer = await clinic.as_("coordinator").put(
        f"/referral/fhir/Patient/{patient['id']}", json=changed, headers={"If-Match": 'W/"1"'}
    )
    assert answer.status_code == 200, answer.text
    (about_patient,) = await _found(clinic, f"Provenance?target=Patient/{patient['id']}")
    assert about_patient["target"][0]["reference"].startswith(f"Patient/{patient['id']}")
    (referral,) = await _found(clinic, "ServiceRequest")
    about_referral = await _found(clinic, f"Provenance?target=ServiceRequest/{referral['id']}")
    assert about_referral
    assert about_patient not in about_referral
    assert await _found(clinic, f"Provenance?target=Patient/{patient['id']}", by="second-practice") == []


class TestClaims:
    @pytest.fixture
    async def claim(self, clinic: TestClinic) -> dict[str, Any]:
        sent = referrals.bundle(payer="workplace-insurer")
        referrals.resource(sent, "Coverage")["subscriberId"] = "M-77"
        located(await send(clinic, sent))
        (claim,) = await _found(clinic, "Claim", by="workplace-insurer")
        return claim

    async def test_are_found_by_their_number(self, clinic: TestClinic, claim: dict[str, Any]) -> None:
        number = claim["identifier"][0]
        for text in (number["value"], f"{number['system']}|{number['value']}"):
            assert await _found(clinic, f"Claim?identifier={text}", by="workplace-insurer") == [claim]
            assert await _found(clinic, f"Claim?identifier={text}", by="motor-insurer") == []
        for text in ("nothing", f"https://other.example|{number['value']}"):
            assert await _found(clinic, f"Claim?identifier={text}", by="workplace-insurer") == []

    async def test_are_found_by_the_member(self, clinic: TestClinic, claim: dict[str, Any]) -> None:
        assert await _found(clinic, "Claim?subscriber-id=M-77", by="workplace-insurer") == [claim]
        assert await _found(clinic, "Claim?subscriber-id=M-78", by="workplace-insurer") == []
        assert await _found(clinic, "Claim?subscriber-id=M-77", by="motor-insurer") == []
