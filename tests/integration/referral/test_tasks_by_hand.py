"""A coordinator works through Tasks: who hands one back says why, and the same is not written again."""

from typing import Any

import httpx

from tests.integration.referral.doors import send, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic


async def a_review(clinic: TestClinic) -> dict[str, Any]:
    await send(clinic, referrals.bundle(answers={"cancer-history": "UNK"}))
    return (await work_of(clinic, "coordinator", "code=review-referral"))[0]


async def put(clinic: TestClinic, task: dict[str, Any], **changes: Any) -> httpx.Response:
    return await clinic.as_("coordinator").put(
        f"/referral/fhir/Task/{task['id']}",
        json=task | changes,
        headers={"If-Match": f'W/"{task["meta"]["versionId"]}"'},
    )


async def test_handing_a_task_back_needs_a_reason_of_its_own(clinic: TestClinic) -> None:
    task = await a_review(clinic)
    silent = {name: value for name, value in task.items() if name != "statusReason"}
    for sent in (task, silent):
        answer = await put(clinic, sent, status="rejected")
        assert answer.status_code == 422
        assert answer.json()["issue"][0]["expression"] == ["Task.statusReason.text"]
    assert (await work_of(clinic, "coordinator", f"_id={task['id']}")) == [task]


async def test_a_task_that_was_handed_back_says_why_and_not_why_it_was_opened(clinic: TestClinic) -> None:
    task = await a_review(clinic)
    foreign = {"system": "https://practice.example/why", "code": "not-ours"}
    why = {"coding": [*task["statusReason"]["coding"], foreign], "text": "Not for us"}
    handed_back = (await put(clinic, task, status="rejected", statusReason=why)).json()
    assert handed_back["statusReason"]["text"] == "Not for us"
    codes = [coding["code"] for coding in handed_back["statusReason"]["coding"]]
    assert codes == ["not-ours", "as-written"]


async def test_a_task_in_which_nothing_changed_is_not_written(clinic: TestClinic) -> None:
    task = await a_review(clinic)
    answer = await put(clinic, task)
    assert (answer.status_code, answer.json()) == (200, task)
