"""The STarT Back tool is scored by the published table, whole or not at all."""

from typing import Any

import pytest

from shared.fhir.start_back import ANSWER_SYSTEM, BOTHERSOME, DISTRESS, ITEMS, answers_in, score

_FIRST = tuple(ITEMS)[:4]


def answers(total: int, distress: int, *, bothered: str = "moderately") -> dict[str, str]:
    """Agree with so many items, so many of them among those of distress."""
    given = dict.fromkeys(ITEMS, "disagree") | {BOTHERSOME: bothered}
    agreed = [*DISTRESS[: min(distress, 4)], *_FIRST[: total - distress]]
    return given | dict.fromkeys(agreed, "agree")


@pytest.mark.parametrize(
    ("total", "distress", "risk"),
    [
        (0, 0, "low"),
        (3, 0, "low"),
        (3, 3, "low"),
        (4, 0, "medium"),
        (4, 3, "medium"),
        (4, 4, "high"),
        (8, 4, "high"),
    ],
)
def test_the_bands(total: int, distress: int, risk: str) -> None:
    scored = score(answers(total, distress))
    assert scored is not None
    assert (scored.total, scored.distress, scored.risk) == (total, distress, risk)


@pytest.mark.parametrize(
    ("bothered", "counts"),
    [("not-at-all", 0), ("slightly", 0), ("moderately", 0), ("very-much", 1), ("extremely", 1)],
)
def test_bothersomeness_counts_from_very_much_on(bothered: str, counts: int) -> None:
    scored = score(answers(0, 0, bothered=bothered))
    assert scored is not None
    assert (scored.total, scored.distress) == (counts, counts)


def test_all_nine_are_nine_and_five() -> None:
    scored = score(answers(8, 4, bothered="extremely"))
    assert scored is not None
    assert (scored.total, scored.distress, scored.risk) == (9, 5, "high")


@pytest.mark.parametrize("item", ITEMS)
def test_what_is_incomplete_is_not_scored(item: str) -> None:
    given = answers(9, 4)
    assert score({name: code for name, code in given.items() if name != item}) is None
    assert score(given | {item: "perhaps"}) is None


def response(**answered: Any) -> dict[str, Any]:
    items = [{"linkId": link_id.replace("_", "-"), "answer": [value]} for link_id, value in answered.items()]
    return {"resourceType": "QuestionnaireResponse", "item": [{"linkId": "group", "item": items}]}


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ({"valueBoolean": True}, "agree"),
        ({"valueBoolean": False}, "disagree"),
        ({"valueCoding": {"system": ANSWER_SYSTEM, "code": "agree"}}, "agree"),
        ({"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0532", "code": "Y"}}, "agree"),
        (
            {"valueCoding": {"system": "http://terminology.hl7.org/CodeSystem/v2-0532", "code": "N"}},
            "disagree",
        ),
    ],
)
def test_agreement_is_read_in_each_writing(value: dict[str, Any], read: str) -> None:
    assert answers_in(response(start_back_1=value)) == {"start-back-1": read}


def test_items_are_known_by_their_loinc_codes_too() -> None:
    agreed = {"valueBoolean": True}
    items = [{"linkId": name, "answer": [agreed]} for name in ("91340-0", "/91341-8", "start-back-3")]
    assert answers_in({"item": items}) == dict.fromkeys(
        ("start-back-1", "start-back-2", "start-back-3"), "agree"
    )


def test_an_item_with_two_answers_or_a_strange_code_is_not_answered() -> None:
    strange = {"valueCoding": {"system": "https://x.example", "code": "certainly"}}
    assert answers_in(response(start_back_1=strange)) == {}
    twice = {"linkId": "start-back-1", "answer": [{"valueBoolean": True}, {"valueBoolean": False}]}
    assert answers_in({"item": [twice]}) == {}


@pytest.mark.parametrize("other", ["start-back-1", "91340-0", "/91340-0"])
@pytest.mark.parametrize("again", [True, False])
def test_an_item_that_stands_twice_is_not_answered_under_whichever_names(other: str, again: bool) -> None:
    twice = [
        {"linkId": "start-back-1", "answer": [{"valueBoolean": True}]},
        {"linkId": "group", "item": [{"linkId": other, "answer": [{"valueBoolean": again}]}]},
    ]
    assert answers_in({"item": twice}) == {}


@pytest.mark.parametrize("code", ["Y", "N", "yes", "no"])
def test_yes_and_no_of_a_strange_code_system_are_no_answer(code: str) -> None:
    strange = {"valueCoding": {"system": "https://x.example/result", "code": code}}
    assert answers_in(response(start_back_1=strange)) == {}
