"""A coordinator reminds the referrer of what is still missing."""

from datetime import timedelta

from tests.integration.referral.doors import located, operate, send, task_of, told
from tests.support import referrals
from tests.support.clinic import TestClinic


async def unanswered(clinic: TestClinic) -> str:
    return located(await send(clinic, referrals.bundle(answers={"night-pain": None})))


async def test_the_referrer_is_told_once_more_and_its_task_says_when(clinic: TestClinic) -> None:
    referral = await unanswered(clinic)
    asked = (await task_of(clinic, referral))["statusReason"]
    for hour in (1, 2):
        clinic.clock.set(clinic.clock.now() + timedelta(hours=hour))
        assert (await operate(clinic, "coordinator", referral, "remind")).status_code == 200
    reason = (await task_of(clinic, referral))["statusReason"]
    assert reason["text"] == f"{asked['text']} Reminded at 2026-03-02 11:00."
    assert [coding["code"] for coding in reason["coding"]][-2:] == [asked["coding"][-1]["code"], "reminded"]
    assert (await told(clinic)).count("referral.reminded") == 2


async def test_nobody_is_reminded_of_what_was_not_asked(clinic: TestClinic) -> None:
    referral = located(await send(clinic, referrals.bundle()))
    before = await task_of(clinic, referral)
    answer = await operate(clinic, "coordinator", referral, "remind")
    assert answer.status_code == 409
    details = answer.json()["issue"][0]["details"]
    assert details["text"] == "Nothing is asked of the referrer: the referral is accepted."
    assert await task_of(clinic, referral) == before
    assert "referral.reminded" not in await told(clinic)


async def test_a_referrer_reminds_nobody(clinic: TestClinic) -> None:
    referral = await unanswered(clinic)
    assert (await operate(clinic, "family-practice", referral, "remind")).status_code == 403


async def test_what_is_said_with_an_act_stands_in_the_task(clinic: TestClinic) -> None:
    referral = await unanswered(clinic)
    asked = (await task_of(clinic, referral))["statusReason"]["text"]
    for words in ("Only the night pain is missing.", "Still missing."):
        await operate(clinic, "coordinator", referral, "remind", reason=words)
    reason = (await task_of(clinic, referral))["statusReason"]
    assert reason["text"] == f"{asked} Reminded at 2026-03-02 08:00. Still missing."
    assert reason["coding"][-1]["code"] == "as-written"


async def test_a_parameter_that_no_operation_has_is_refused_and_nothing_happens(clinic: TestClinic) -> None:
    referral = await unanswered(clinic)
    before = await task_of(clinic, referral)
    answer = await operate(clinic, "coordinator", referral, "remind", colour="red")
    assert answer.status_code == 422
    issue = answer.json()["issue"][0]
    assert issue["expression"] == ["Parameters.parameter.where(name='colour')"]
    assert issue["details"]["text"] == "there is no such parameter here; there are: reason"
    assert await task_of(clinic, referral) == before
