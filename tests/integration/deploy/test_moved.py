"""A clinic that moves to another address: what it wrote before is read with the address of now."""

import time
from typing import Any

import httpx
import pytest

from tests.support import referrals
from tests.support.folders import open_folder
from tests.support.process import LumbarProcess, lumbar

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("a clinic that moves")]


def caller(clinic: LumbarProcess, url: str, client: str) -> httpx.Client:
    """Give the client of a party at an address."""
    given = lumbar("token", client, LUMBAR_URL=url, LUMBAR_DATA=str(clinic.data))
    assert given.returncode == 0, given.stderr
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {given.stdout.strip()}"})


def visits(practice: httpx.Client, referral: str) -> list[dict[str, Any]]:
    """Search the visits of a referral."""
    found = practice.get("/scheduling/fhir/Appointment", params={"based-on": referral})
    assert found.status_code == 200, found.text
    return [entry["resource"] for entry in found.json().get("entry", [])]


def placed(answer: httpx.Response, resource_type: str) -> str:
    """Give what a sent resource of this type is called here, `Type/id`."""
    places = [entry["response"]["location"] for entry in answer.json()["entry"]]
    return "/".join(next(one for one in places if one.startswith(f"{resource_type}/")).split("/")[:2])


def test_its_own_addresses_follow_and_those_of_before_are_still_its_own() -> None:
    with open_folder() as folder, LumbarProcess(folder / "data") as clinic:
        before, now = clinic.url, clinic.url.replace("127.0.0.1", "localhost")
        clinic.start()
        clinic.wait_until_ready()
        practice = caller(clinic, before, "family-practice")
        sent = practice.post("/referral/fhir", json=referrals.bundle())
        referral = placed(sent, "ServiceRequest")
        deadline = time.monotonic() + 30
        while not (booked := visits(practice, referral)):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert f"{before}/referral/fhir/{referral}" in str(booked)
        clinic.stop()

        clinic.start(LUMBAR_URL=now)
        clinic.wait_until_ready()
        practice = caller(clinic, now, "family-practice")
        for named in (referral, f"{now}/referral/fhir/{referral}", f"{before}/referral/fhir/{referral}"):
            [visit] = visits(practice, named)
            assert f"{now}/referral/fhir/{referral}" in str(visit)
            assert before not in str(visit)
        assert visits(practice, f"http://other.example/referral/fhir/{referral}") == []
        assert practice.get(visit["basedOn"][0]["reference"]).json()["id"] == referral.partition("/")[2]
        root, patient = f"{before}/referral/fhir", placed(sent, "Patient")
        file = {"content-type": "application/pdf", "x-security-context": f"{root}/{referral}"}
        kept = practice.post("/referral/fhir/Binary", content=b"%PDF-1.7 a report", headers=file)
        assert kept.status_code == 201, kept.text
        document = {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": f"{root}/{patient}"},
            "context": {"related": [{"reference": f"{root}/{referral}"}]},
            "content": [{"attachment": {"url": f"{root}/Binary/{kept.json()['id']}", "size": 17}}],
        }
        added = practice.post("/referral/fhir/DocumentReference", json=document)
        assert added.status_code == 201, added.text
        document["content"] = [{"attachment": {"url": f"{root}/Binary/{kept.json()['id']}", "size": 18}}]
        wrong = practice.post("/referral/fhir/DocumentReference", json=document)
        assert wrong.status_code == 422, "known for ours, so the size is held against its bytes"
        clinic.stop()
