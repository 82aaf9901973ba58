"""Receiving a referral through the doors of the API."""

from tests.integration.referral.doors import located, send, task_of, told
from tests.support import referrals
from tests.support.clinic import TestClinic


async def test_a_complete_referral_is_accepted_and_its_task_says_so(clinic: TestClinic) -> None:
    sent = referrals.bundle()
    answer = await send(clinic, sent)
    referral = located(answer)
    assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["201 Created"] * 4
    task = await task_of(clinic, referral)
    assert task["status"] == "accepted"
    assert task["businessStatus"]["coding"][0]["code"] == "accepted"
    assert "Rapid access" in task["statusReason"]["text"]
    assert await told(clinic) == ["referral.received", "referral.triaged", "referral.accepted"]
    for entry in answer.json()["entry"]:
        location = entry["response"]["location"].partition("/_history")[0]
        read = await clinic.as_("family-practice").get(f"/referral/fhir/{location}")
        assert read.status_code == 200, read.text
