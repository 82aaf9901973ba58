"""The STarT Back tool with a referral: scored here, told in the Task, and a programme is proposed."""

from typing import Any

from services.referral.fhir.questionnaire_answers import URL
from shared.fhir import start_back
from shared.fhir.codes import TASK_INPUT_SYSTEM
from tests.integration.referral.doors import located, operate, send, task_of
from tests.support import referrals
from tests.support.clinic import TestClinic


def tool(*, agreed: int, bothered: str = "extremely") -> list[dict[str, Any]]:
    """Answer the tool: the last items are agreed with first, those of distress."""
    items = list(start_back.ITEMS)[:8]
    codes = dict.fromkeys(items, "disagree") | dict.fromkeys(items[::-1][:agreed], "agree")
    return [
        {"linkId": link_id, "answer": [{"valueCoding": {"system": start_back.ANSWER_SYSTEM, "code": code}}]}
        for link_id, code in (codes | {start_back.BOTHERSOME: bothered}).items()
    ]


def with_tool(sent: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    referrals.resource(sent, "QuestionnaireResponse")["item"].extend(items)
    return sent


def inputs(task: dict[str, Any], name: str) -> list[dict[str, Any]]:
    coding = {"system": TASK_INPUT_SYSTEM, "code": name}
    return [one for one in task["input"] if one["type"]["coding"] == [coding]]


async def test_a_high_risk_is_told_with_the_programme_that_is_proposed(clinic: TestClinic) -> None:
    answer = await send(clinic, with_tool(referrals.bundle(), tool(agreed=6)))
    task = await task_of(clinic, located(answer))
    assert task["status"] == "accepted"
    (proposed,) = inputs(task, "proposed-programme")
    assert proposed["valueCoding"]["code"] == "chronic-pain"
    (programme,) = inputs(task, "programme")
    assert programme["valueCoding"]["code"] == "rapid-access"
    fired = {one["valueCoding"]["code"]: one["valueCoding"]["display"] for one in inputs(task, "triage-rule")}
    assert fired["start-back-high"] == (
        "STarT Back 7 of 9, distress 5 of 5: high risk. "
        "Proposed for this risk: Interdisciplinary chronic pain programme."
    )


async def test_what_is_incomplete_is_not_scored_and_nothing_is_asked_for(clinic: TestClinic) -> None:
    answer = await send(clinic, with_tool(referrals.bundle(), tool(agreed=6)[:-1]))
    task = await task_of(clinic, located(answer))
    assert task["status"] == "accepted"
    assert not [one for one in inputs(task, "triage-rule") if "start-back" in str(one)]


async def test_a_tool_that_comes_later_in_a_form_of_its_own_is_scored_before_the_verdict(
    clinic: TestClinic,
) -> None:
    answer = await send(clinic, referrals.bundle(answers={"night-pain": None}))
    referral = located(answer)
    items = [
        {"linkId": start_back.ITEMS[item["linkId"]], "answer": item["answer"]} for item in tool(agreed=0)
    ]
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://emr.example/Questionnaire/start",
        "status": "completed",
        "item": items,
    }
    assert (
        await operate(clinic, "family-practice", referral, "provide-information", answers=response)
    ).status_code == 200
    rules = inputs(await task_of(clinic, referral), "triage-rule")
    assert "start-back-low" in str(rules)


async def test_the_questionnaire_has_the_nine_items_by_their_codes(clinic: TestClinic) -> None:
    answer = await clinic.as_("family-practice").get(f"/referral/fhir/Questionnaire?url={URL}")
    form = answer.json()["entry"][0]["resource"]
    (group,) = [one for one in form["item"] if one["linkId"] == "start-back"]
    assert group["code"] == [{"system": "http://loinc.org", "code": "91349-1"}]
    assert [one["code"][0]["code"] for one in group["item"]] == list(start_back.ITEMS.values())
