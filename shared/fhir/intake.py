"""The intake form that a patient fills in at home before the first visit: the clinic's own few questions.

It is read by the team and scored by nobody: how strong the pain is now is measured again at the visit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.fhir.codes import LUMBAR
from shared.fhir.instants import to_the_second

INTAKE = "intake"
URL = f"{LUMBAR}/Questionnaire/{INTAKE}"
PAIN, HIGHEST_PAIN = "pain-now", 10
# Each question in words of its own, by its linkId, and how it is asked in English.
QUESTIONS: Mapping[str, str] = {
    PAIN: "How strong is the pain now, from 0 (none) to 10 (the worst)?",
    "goal": "What would you like to be able to do again?",
    "medicines": "Which medicines do you take, and how much of each?",
    "allergies": "Are you allergic to anything?",
    "needs": "What should we know for the visit (stairs, an interpreter, somebody with you)?",
}


def questionnaire_items() -> list[dict[str, Any]]:
    """Write the questions as items of a Questionnaire."""
    return [
        {"linkId": link, "text": text, "type": "integer" if link == PAIN else "text", "required": False}
        for link, text in QUESTIONS.items()
    ]


def response(
    id: str, answers: Mapping[str, int | str], *, subject: str, based_on: str, at: datetime
) -> dict[str, Any]:
    """Write answers by linkId as a QuestionnaireResponse that the patient has filled in."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": id,
        "questionnaire": URL,
        "status": "completed",
        "subject": {"reference": subject},
        "basedOn": [{"reference": based_on}],
        "authored": to_the_second(at),
        "author": {"reference": subject},
        "item": [
            {"linkId": link, "text": text, "answer": [_value(answers[link])]}
            for link, text in QUESTIONS.items()
            if link in answers
        ],
    }


def answered(response: Mapping[str, Any]) -> dict[str, int | str]:
    """Read the answers of a response, by linkId."""
    found: dict[str, int | str] = {}
    for item in response.get("item", ()):
        for answer in item.get("answer", ())[:1]:
            found[item["linkId"]] = answer.get("valueInteger", answer.get("valueString", ""))
    return found


def links() -> Sequence[str]:
    """Name the questions in their order."""
    return tuple(QUESTIONS)


def _value(answer: int | str) -> dict[str, Any]:
    return {"valueInteger": answer} if isinstance(answer, int) else {"valueString": answer}
