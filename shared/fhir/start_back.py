"""The STarT Back screening tool: nine items, a total, a distress subscore and three risks.

Source: Keele STarT Back, as LOINC panel 91349-1 has it. Items 1 to 8 count 1 where they are agreed with,
item 9 (bothersomeness) where it is "very much" or "extremely". The distress subscore counts items 5 to 9.
Risk: low up to a total of 3; above that medium up to a subscore of 3, high from 4. What is incomplete is
not scored.

The wording of the items is its licence holder's and stands nowhere here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shared.fhir.codes import LOINC, LUMBAR

Risk = Literal["low", "medium", "high"]
Resource = Mapping[str, Any]

PANEL, SUBSCORE, TOTAL, RISK = "91349-1", "91350-9", "91351-7", "91352-5"
# The items in their order, each by its linkId in the clinic's own form and by its LOINC code.
ITEMS = {
    "start-back-1": "91340-0",
    "start-back-2": "91341-8",
    "start-back-3": "91342-6",
    "start-back-4": "91343-4",
    "start-back-5": "91344-2",
    "start-back-6": "91345-9",
    "start-back-7": "91346-7",
    "start-back-8": "91347-5",
    "start-back-9": "91348-3",
}
DISTRESS = tuple(ITEMS)[4:]
BOTHERSOME = "start-back-9"
ANSWER_SYSTEM = f"{LUMBAR}/CodeSystem/start-back-answer"
AGREEMENT = ("disagree", "agree")
BOTHERSOMENESS = ("not-at-all", "slightly", "moderately", "very-much", "extremely")
RISK_ANSWERS: Mapping[Risk, str] = {"low": "LA9194-7", "medium": "LA8982-6", "high": "LA9193-9"}

_COUNTS = frozenset({"agree", "very-much", "extremely"})
_YES_NO: Mapping[str, Mapping[str, str]] = {
    "http://terminology.hl7.org/CodeSystem/v2-0532": {"Y": "agree", "N": "disagree"},
    "http://terminology.hl7.org/CodeSystem/v2-0136": {"Y": "agree", "N": "disagree"},
    f"{LUMBAR}/CodeSystem/referral-answer": {"yes": "agree", "no": "disagree"},
}
_LINKS = {name: item for item, code in ITEMS.items() for name in (item, code, f"/{code}")}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBack:
    """A scored tool: `total` 0 to 9, `distress` 0 to 5, and the risk."""

    total: int
    distress: int
    risk: Risk


def score(answers: Mapping[str, str]) -> StartBack | None:
    """Score the answers by linkId; None where an item is not answered, or by a code that it does not have."""
    if unanswered(answers):
        return None
    counted = [item for item in ITEMS if answers[item] in _COUNTS]
    total, distress = len(counted), len([item for item in counted if item in DISTRESS])
    if total <= 3:
        return StartBack(total=total, distress=distress, risk="low")
    return StartBack(total=total, distress=distress, risk="high" if distress >= 4 else "medium")


def unanswered(answers: Mapping[str, str]) -> list[str]:
    """Name the items that are not answered, or by a code that they do not have."""
    return [item for item in ITEMS if answers.get(item) not in answers_of(item)]


def answers_of(item: str) -> tuple[str, ...]:
    """Name the codes by which an item may be answered."""
    return BOTHERSOMENESS if item == BOTHERSOME else AGREEMENT


def links() -> frozenset[str]:
    """Name every linkId by which an item is known."""
    return frozenset(_LINKS)


def answers_in(response: Resource) -> dict[str, str]:
    """Read the items that a QuestionnaireResponse answers, by our linkIds or by LOINC's codes as linkIds.

    Agreement is read as a boolean, as yes or no, or by our codes; an item answered twice is not answered,
    under whichever names and in however many places.
    """
    given: dict[str, list[Resource]] = {}
    for link_id, answered in _items(response.get("item", [])):
        if (item := _LINKS.get(link_id)) is not None:
            given.setdefault(item, []).extend(answered)
    codes = {item: _code(answered[0]) for item, answered in given.items() if len(answered) == 1}
    return {item: code for item, code in codes.items() if code is not None}


def questionnaire_items() -> list[dict[str, Any]]:
    """Render the nine items of a Questionnaire by number and code, each with the answers that it has."""
    return [
        {
            "linkId": link_id,
            "code": [{"system": LOINC, "code": code}],
            "text": f"Item {link_id.rpartition('-')[2]} of the tool",
            "type": "choice",
            "answerOption": [
                {"valueCoding": {"system": ANSWER_SYSTEM, "code": answer}} for answer in answers_of(link_id)
            ],
        }
        for link_id, code in ITEMS.items()
    ]


def _items(given: Sequence[Any]) -> Iterator[tuple[str, Sequence[Resource]]]:
    for item in given:
        yield str(item.get("linkId", "")), item.get("answer", ())
        yield from _items(item.get("item", ()))


def _code(answer: Resource) -> str | None:
    if isinstance(answer.get("valueBoolean"), bool):
        return AGREEMENT[answer["valueBoolean"]]
    coding = answer.get("valueCoding", {})
    if coding.get("system") in (ANSWER_SYSTEM, None):
        return str(coding["code"]) if "code" in coding else None
    return _YES_NO.get(str(coding["system"]), {}).get(str(coding.get("code")))
