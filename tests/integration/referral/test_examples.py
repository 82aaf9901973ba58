"""Every example referral is taken, and triage says of it what its story needs."""

import pytest

from deploy.demo.bundles import example
from tests.integration.referral.doors import located, task_of
from tests.support.clinic import TestClinic

EXPECTED = {
    "01-rapid-access-routine.json": ("family-practice", "accepted", "rapid-access"),
    "02-cauda-equina.json": ("family-practice", "emergency-redirected", None),
    "03-something-missing.json": ("second-practice", "information-requested", None),
    "04-workplace-insurer.json": ("family-practice", "accepted", "workplace-rehabilitation"),
    "05-motor-vehicle-insurer.json": ("second-practice", "accepted", "motor-vehicle-rehabilitation"),
    "06-denied.json": ("family-practice", "accepted", "motor-vehicle-rehabilitation"),
    "07-under-eighteen.json": ("second-practice", "declined", "rapid-access"),
    "08-sent-once.json": ("family-practice", "accepted", "rapid-access"),
    "08-sent-with-new-ids.json": ("family-practice", "accepted", "rapid-access"),
    "09-revoked.json": ("second-practice", "accepted", "chronic-pain"),
    "10-filler-a.json": ("family-practice", "accepted", "chronic-pain"),
    "10-filler-b.json": ("family-practice", "accepted", "chronic-pain"),
    "10-clinic-full.json": ("family-practice", "accepted", "chronic-pain"),
    **{f"20-full-month-{one}.json": ("family-practice", "accepted", "chronic-pain") for one in "abcde"},
    "11-missed.json": ("second-practice", "accepted", "rapid-access"),
    "12-chronic-pain.json": ("family-practice", "accepted", "chronic-pain"),
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_an_example_gets_the_verdict_of_its_story(clinic: TestClinic, name: str) -> None:
    practice, status, programme = EXPECTED[name]
    body = example(name, at=clinic.clock.now())
    answer = await clinic.as_(practice).post("/referral/fhir", content=body)
    task = await task_of(clinic, located(answer), as_=practice)
    assert task["businessStatus"]["coding"][0]["code"] == status, task["statusReason"]
    assert [given["valueCoding"]["code"] for given in task["input"] if _is(given, "programme")] == (
        [programme] if programme else []
    )


async def test_the_answers_of_story_3_complete_it(clinic: TestClinic) -> None:
    practice = clinic.as_("second-practice")
    sent = await practice.post(
        "/referral/fhir", content=example("03-something-missing.json", at=clinic.clock.now())
    )
    referral = located(sent)
    await clinic.days(3)
    body = example("03-something-missing-answers.json", at=clinic.clock.now())
    answer = await practice.post(
        f"/referral/fhir/ServiceRequest/{referral}/$provide-information", content=body
    )
    assert answer.status_code == 200, answer.text
    task = await task_of(clinic, referral, as_="second-practice")
    assert task["status"] == "accepted", task["statusReason"]


def _is(given: dict[str, object], name: str) -> bool:
    kind = given["type"]
    assert isinstance(kind, dict)
    return bool(kind["coding"][0]["code"] == name)
