"""STarT Back at the first visit: scored here from the nine items, and a programme proposed to the team."""

from typing import Any

import pytest

from services.careteam.fhir.questionnaire import START_BACK_URL
from shared.fhir import start_back
from tests.integration.careteam.care import (
    BASE,
    active_plan,
    case_of,
    counts,
    found,
    post,
    problems,
    seen,
)
from tests.support.clinic import TestClinic


def the_tool(*, agreed: int, bothered: str = "extremely", **more: Any) -> dict[str, Any]:
    """Answer the tool: the last items are agreed with first, those of distress."""
    items = list(start_back.ITEMS)[:8]
    codes = dict.fromkeys(items, "disagree") | dict.fromkeys(items[::-1][:agreed], "agree")
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": START_BACK_URL,
        "subject": {"reference": "Patient/patient-1"},
        "item": [
            {
                "linkId": link,
                "answer": [{"valueCoding": {"system": start_back.ANSWER_SYSTEM, "code": code}}],
            }
            for link, code in (codes | {start_back.BOTHERSOME: bothered}).items()
        ],
        **more,
    }


async def recorded(clinic: TestClinic, sent: dict[str, Any]) -> dict[str, Any]:
    answer = await post(clinic, sent, by="physiotherapist")
    assert answer.status_code == 201, answer.text
    await clinic.settle()
    derived = f"QuestionnaireResponse/{answer.json()['id']}"
    scores = await found(clinic, "Observation", by="physiotherapist")
    (score,) = [one for one in scores if one["derivedFrom"] == [{"reference": derived}]]
    return score


def component(score: dict[str, Any], code: str) -> Any:
    (one,) = [one for one in score["component"] if one["code"]["coding"][0]["code"] == code]
    value = one.get("valueInteger", one.get("valueString"))
    return one["valueCodeableConcept"]["coding"][0]["code"] if value is None else value


async def in_rapid_access(clinic: TestClinic) -> None:
    await seen(clinic, programme="rapid-access", practitioner="physiotherapist")


async def test_total_subscore_and_risk_are_an_observation_by_loinc(clinic: TestClinic) -> None:
    await in_rapid_access(clinic)
    score = await recorded(clinic, the_tool(agreed=2, bothered="slightly"))
    assert score["code"]["coding"][0]["code"] == "91351-7"
    assert (score["valueInteger"], component(score, "91350-9")) == (2, 2)
    assert component(score, "91352-5") == "LA9194-7"
    assert component(score, "rule") == "start-back-low"
    assert not [one for one in score["component"] if "proposed-programme" in str(one)]


async def test_a_high_risk_proposes_another_programme_and_the_meeting_hears_it(clinic: TestClinic) -> None:
    await in_rapid_access(clinic)
    score = await recorded(clinic, the_tool(agreed=6))
    assert (component(score, "91352-5"), component(score, "rule")) == ("LA9193-9", "start-back-high")
    assert component(score, "proposed-programme") == "chronic-pain"
    case = await case_of(clinic, by="physiotherapist")
    assert "proposed for it: Interdisciplinary chronic pain programme." in str(case)
    (team,) = await found(clinic, "CareTeam", by="physiotherapist")
    assert team["name"] == "Rapid access low back pain assessment"


async def test_who_is_in_the_proposed_programme_already_is_on_no_agenda_for_it(clinic: TestClinic) -> None:
    await seen(clinic)
    score = await recorded(clinic, the_tool(agreed=6))
    assert component(score, "proposed-programme") == "chronic-pain"
    assert "STarT Back" not in str(await found(clinic, "Task", by="physiotherapist"))


async def test_what_is_incomplete_is_refused_naming_each_item(clinic: TestClinic) -> None:
    await in_rapid_access(clinic)
    before = await counts(clinic)
    sent = the_tool(agreed=6)
    del sent["item"][3]
    sent["item"][5]["answer"] = [{"valueCoding": {"system": start_back.ANSWER_SYSTEM, "code": "extremely"}}]
    answer = await post(clinic, sent, by="physiotherapist")
    assert answer.status_code == 422
    assert problems(answer) == [
        "QuestionnaireResponse.item.where(linkId='start-back-4').answer",
        "QuestionnaireResponse.item.where(linkId='start-back-7').answer",
    ]
    assert "by disagree or agree" in answer.text
    assert await counts(clinic) == before


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"status": "in-progress"}, "QuestionnaireResponse.status"),
        ({"authored": "2036-01-01T00:00:00Z"}, "QuestionnaireResponse.authored"),
    ],
)
async def test_what_is_no_completed_answer_of_today_is_refused(clinic: TestClinic, wrong, where) -> None:
    await in_rapid_access(clinic)
    answer = await post(clinic, the_tool(agreed=6, **wrong), by="physiotherapist")
    assert (answer.status_code, problems(answer)) == (422, [where])


async def test_a_score_that_was_posted_is_refused(clinic: TestClinic) -> None:
    await in_rapid_access(clinic)
    sent = the_tool(agreed=6)
    sent["item"].append({"linkId": "total", "answer": [{"valueInteger": 1}]})
    answer = await post(clinic, sent, by="physiotherapist")
    assert (answer.status_code, problems(answer)) == (422, ["QuestionnaireResponse.item[9].linkId"])


async def test_a_screening_is_no_outcome_that_a_review_waits_for_or_judges(clinic: TestClinic) -> None:
    await in_rapid_access(clinic)
    await recorded(clinic, the_tool(agreed=6))
    await recorded(clinic, the_tool(agreed=7))
    plan = await active_plan(clinic, by="physiotherapist")
    await clinic.days(29)
    await clinic.settle()
    tasks = str(await found(clinic, "Task", by="physiotherapist"))
    assert "measure Pain severity" in tasks
    assert "Off track" not in tasks
    assert plan["status"] == "active"


async def test_the_questionnaires_are_served_with_their_codes(clinic: TestClinic) -> None:
    listed = await clinic.as_("physiotherapist").get(f"{BASE}/Questionnaire")
    assert [one["resource"]["id"] for one in listed.json()["entry"]] == ["oswestry", "start-back", "intake"]
    one = await clinic.as_("physiotherapist").get(f"{BASE}/Questionnaire?url={START_BACK_URL}")
    assert one.json()["entry"][0]["resource"]["code"][0]["code"] == "91349-1"
    read = await clinic.as_("physiotherapist").get(f"{BASE}/Questionnaire/start-back")
    assert len(read.json()["item"]) == 9
