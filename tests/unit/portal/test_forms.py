"""What is typed becomes what a service takes, or a word beside the field; nothing is guessed."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.portal import claims, plan_form, signs
from services.portal.act_forms import body_of
from services.portal.acts import acts_of
from services.portal.api.security import safe_path
from services.portal.questionnaires import answered, groups_of
from services.portal.trends import NARROW, WIDE, Trend
from services.referral.fhir.questionnaire import render
from shared.fhir.codes import REVIEW_ACTION_CODE_EXTENSION

TORONTO = ZoneInfo("America/Toronto")


def an_act(*parameters: dict[str, Any], kind: str = "operation", method: str = "POST") -> dict[str, Any]:
    """Give `$available-actions` with one act."""
    asked = [{"name": "parameter", "part": _parts(one)} for one in parameters]
    parts = [
        {"name": "name", "valueCode": "act"},
        {"name": "kind", "valueCode": kind},
        {"name": "method", "valueCode": method},
        {"name": "url", "valueUrl": "http://clinic.test/referral/fhir/ServiceRequest/1/$act"},
        *asked,
        {"name": "available", "valueBoolean": True},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "action", "part": parts}]}


def _parts(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": "name", "valueString": one["name"]},
        {"name": "type", "valueCode": one.get("type", "string")},
        {"name": "min", "valueInteger": one.get("min", 0)},
        {"name": "max", "valueString": one.get("max", "1")},
        *({"name": "allowed", "valueCode": code} for code in one.get("allowed", ())),
        *({"name": "part", "part": _parts(part)} for part in one.get("parts", ())),
    ]


def body(act: dict[str, Any], form: dict[str, list[str]], *, current: Any = None) -> tuple[Any, list[str]]:
    made, wrong = body_of(acts_of(act)[0], form, current=current, zone=TORONTO)
    return made, [one.name for one in wrong]


class TestAnAct:
    def test_takes_a_wall_clock_time_as_the_sites(self) -> None:
        act = an_act({"name": "start", "type": "instant", "min": 1}, kind="update", method="PUT")
        current = {"resourceType": "Appointment", "minutesDuration": 45, "start": "x", "end": "y"}
        made, wrong = body(act, {"start": ["2026-03-02T09:00"]}, current=current)
        assert wrong == []
        assert (made["start"], made["end"]) == ("2026-03-02T09:00:00-05:00", "2026-03-02T09:45:00-05:00")

    @pytest.mark.parametrize("typed", ["03/01/2026", "13/14", "2026-13-01", "tomorrow"])
    def test_guesses_no_day(self, typed: str) -> None:
        made, wrong = body(an_act({"name": "due", "type": "date"}), {"due": [typed]})
        assert (wrong, made.get("parameter")) == (["due"], None)

    def test_asks_for_what_is_needed_and_takes_spaces_for_nothing(self) -> None:
        assert body(an_act({"name": "reason", "min": 1}), {"reason": ["   "]})[1] == ["reason"]

    def test_takes_nothing_that_is_not_on_a_list(self) -> None:
        act = an_act({"name": "priority", "type": "code", "min": 1, "allowed": ["routine", "urgent"]})
        assert body(act, {"priority": ["whenever"]})[1] == ["priority"]

    def test_leaves_an_empty_group_out_and_refuses_a_half_one(self) -> None:
        parts = [{"name": "what", "min": 1}, {"name": "due", "type": "date", "min": 1}]
        act = an_act({"name": "action", "type": "Element", "max": "*", "parts": parts})
        full = {"action.0.what": ["Walk"], "action.0.due": ["2026-03-02"], "action.1.what": [" "]}
        made, wrong = body(act, full)
        assert (len(made["parameter"]), wrong) == (1, [])
        assert body(act, {"action.0.what": ["Walk"]})[1] == ["action.0.due"]

    def test_changes_no_other_member_of_a_resource(self) -> None:
        act = an_act(
            {"name": "status", "type": "code", "min": 1, "allowed": ["arrived"]}, kind="update", method="PUT"
        )
        current = {"resourceType": "Appointment", "status": "booked", "comment": "brings a letter"}
        assert body(act, {}, current=current)[0] == {**current, "status": "arrived"}

    def test_is_not_offered_where_it_gives_the_status_that_is_there(self) -> None:
        act = an_act(
            {"name": "status", "type": "code", "min": 1, "allowed": ["arrived"]}, kind="update", method="PUT"
        )
        assert acts_of(act, status="arrived") == []
        assert len(acts_of(act, status="booked")) == 1


class TestAQuestionnaire:
    def test_says_nothing_of_what_was_not_answered(self) -> None:
        items, wrong = answered(groups_of(render()), {"weight-loss": ["N"], "night-pain": [""]})
        [group] = items
        assert ([one["linkId"] for one in group["item"]], wrong) == (["weight-loss"], [])

    def test_leaves_out_what_another_answer_does_not_switch_on(self) -> None:
        typed = {"episode": ["first"], "recurrence-date": ["2026-01-01"]}
        [group] = answered(groups_of(render()), typed)[0]
        assert [one["linkId"] for one in group["item"]] == ["episode"]

    def test_refuses_an_answer_that_is_not_there(self) -> None:
        assert [one.name for one in answered(groups_of(render()), {"weight-loss": ["maybe"]})[1]] == [
            "weight-loss"
        ]


CLAIM: dict[str, Any] = {
    "id": "c",
    "type": {},
    "patient": {},
    "item": [{"sequence": 1, "quantity": {"value": 12}}, {"sequence": 2, "quantity": {"value": 4}}],
}


class TestAnInsurersAnswer:
    @pytest.mark.parametrize(
        ("actions", "status"),
        [
            ({}, "pended"),
            ({1: "A1"}, "pended"),
            ({1: "A1", 2: "A1"}, "approved"),
            ({1: "A1", 2: "A3"}, "partially-approved"),
            ({1: "A3", 2: "A3"}, "denied"),
            ({1: "A1", 2: "A4"}, "pended"),
        ],
    )
    def test_stands_by_its_items_never_by_its_outcome(self, actions: dict[int, str], status: str) -> None:
        items = [
            {"itemSequence": number, "adjudication": [_reviewed(code)]} for number, code in actions.items()
        ]
        response = {"outcome": "complete", "item": items}
        assert claims.status_of(CLAIM, response) == status

    def test_is_not_sent_without_a_reason_for_a_denial_nor_with_too_many_units(self) -> None:
        typed = {"action-1": ["A3"], "action-2": ["A2"], "units-2": ["4"], "start": ["2026-03-02"]}
        _, wrong = claims.answer_of(CLAIM, typed, insurer="x", now=datetime(2026, 3, 2, tzinfo=UTC))
        assert sorted(one.name for one in wrong) == ["end", "reason", "units-2"]


class TestAPlan:
    def test_keeps_an_activity_that_stands_there_as_it_was(self) -> None:
        kept = {"detail": {"kind": "ServiceRequest", "status": "in-progress", "description": "Walks"}}
        plan = {"resourceType": "CarePlan", "subject": {}, "activity": [kept], "goal": []}
        made = plan_form.plan_of(plan, {"activities": ["Walks\nSwimming"]}, status="active")
        assert made["activity"][0] == kept
        assert [one["detail"]["description"] for one in made["activity"]] == ["Walks", "Swimming"]


class TestATrend:
    def test_says_better_only_from_what_matters_on(self) -> None:
        assert [_trend(8, score).verdict for score in (8, 7, 6, 10)] == ["same", "same", "better", "worse"]

    @pytest.mark.parametrize("size", [WIDE, NARROW])
    def test_draws_every_score_inside_its_frame(self, size: tuple[int, int]) -> None:
        drawing = _trend(8, 0, 10, 5).drawing(size)
        assert all(0 <= point.x <= size[0] and 0 <= point.y <= size[1] for point in drawing.points)
        assert len(drawing.points) == 4


@pytest.mark.parametrize("wanted", ["//x", "https://x", "/\\x", "javascript:x", "", None, "/a\nb", "x"])
def test_no_address_but_a_path_of_ours_is_gone_on_to(wanted: str | None) -> None:
    assert safe_path(wanted) == "/"


def test_states_have_a_word_and_a_shape_and_waiting_is_never_well() -> None:
    for kind, states in signs.KINDS.items():
        for code, state in states.items():
            assert state.text, (kind, code)
            assert state.sign in signs.SHAPES, (kind, code)
    waiting = [signs.REFERRAL[one].sign for one in ("awaiting-triage", "awaiting-review", "awaiting-booking")]
    assert "well" not in waiting


def _reviewed(code: str) -> dict[str, Any]:
    coded = {"url": REVIEW_ACTION_CODE_EXTENSION, "valueCodeableConcept": {"coding": [{"code": code}]}}
    return {"extension": [{"url": "reviewAction", "extension": [coded]}]}


def _trend(*scores: int) -> Trend:
    values = [{"at": f"2026-03-{day:02d}T09:00:00Z", "value": score} for day, score in enumerate(scores, 1)]
    told = {
        "instrument": "nprs",
        "name": "Pain",
        "lowest": 0,
        "highest": 10,
        "better": "lower",
        "important": 2,
    }
    return Trend.of({**told, "baseline": scores[0], "value": values})
