"""Outcomes: scored here, compared with the baseline, reviewed in weeks 4 and 8."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest

from shared.fhir.reasons import reasons_of
from shared.reasons import Argument
from tests.integration.careteam.care import (
    BASE,
    a_rating,
    active_plan,
    case_of,
    counts,
    found,
    one,
    oswestry,
    post,
    problems,
    rated,
    seen,
)
from tests.support.clinic import TestClinic


def component(observation: dict, code: str) -> object:
    (found_one,) = [one for one in observation["component"] if one["code"]["coding"][0]["code"] == code]
    (value,) = [value for name, value in found_one.items() if name.startswith("value")]
    return value.get("value") if isinstance(value, dict) and "value" in value else value


async def in_programme(clinic: TestClinic) -> None:
    await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
    await active_plan(clinic, by="physiotherapist")


class TestRating:
    async def test_the_first_is_the_baseline_and_a_rise_is_worse(self, clinic: TestClinic):
        await seen(clinic)
        first = await rated(clinic, 5)
        assert component(first, "is-baseline") is True
        worse = await rated(clinic, 7)
        assert component(worse, "change") == 2
        assert component(worse, "improvement") == -2
        assert component(worse, "trend")["coding"][0]["code"] == "worsening"
        assert component(worse, "importantly-worse") is True
        assert worse["interpretation"][0]["coding"][0]["code"] == "W"
        events = await clinic.events("outcome.recorded")
        assert [event.focus["valueInteger"] for event in events] == [5, 7]
        assert worse["basedOn"] == [{"reference": "http://clinic.test/referral/fhir/ServiceRequest/r1"}]

    @pytest.mark.parametrize(
        ("wrong", "expressions"),
        [
            (a_rating(11), ["Observation.valueInteger"]),
            (a_rating(None), ["Observation.valueInteger"]),
            (
                a_rating(5, status="preliminary", interpretation=[{"text": "much better"}]),
                ["Observation.status", "Observation.interpretation"],
            ),
            (a_rating(5, effectiveDateTime="2036-01-01T00:00:00Z"), ["Observation.effectiveDateTime"]),
            (a_rating(5, effectiveDateTime="0001-01-01T00:00:00+14:00"), ["Observation.effectiveDateTime"]),
            (
                a_rating(5, effectiveDateTime=None, effectivePeriod={"start": "2026-03-01"}),
                ["Observation.effectivePeriod"],
            ),
            (
                a_rating(5, code={"coding": [{"system": "http://loinc.org", "code": "97909-6"}]}),
                ["Observation.code"],
            ),
        ],
    )
    async def test_what_is_no_answer_to_it_is_refused(self, clinic: TestClinic, wrong, expressions):
        await seen(clinic)
        before = await counts(clinic)
        sent = {name: value for name, value in wrong.items() if value is not None}
        answer = await post(clinic, sent, by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, expressions)
        assert await counts(clinic) == before

    async def test_what_is_older_than_the_baseline_is_refused(self, clinic: TestClinic):
        await seen(clinic)
        await rated(clinic, 5)
        earlier = (clinic.clock.now() - timedelta(days=1)).isoformat()
        answer = await post(clinic, a_rating(9, effectiveDateTime=earlier), by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["Observation.effectiveDateTime"])

    async def test_of_a_foreign_patient_is_not_found(self, clinic: TestClinic):
        await seen(clinic, programme="rapid-access", practitioner="physiotherapist")
        before = await counts(clinic)
        assert (await post(clinic, a_rating(5), by="psychologist")).status_code == 404
        assert (await post(clinic, a_rating(5, patient="nobody"), by="physiotherapist")).status_code == 404
        assert await counts(clinic) == before

    async def test_of_a_patient_with_two_referrals_needs_its_referral(self, clinic: TestClinic):
        await seen(clinic, "r1")
        await seen(clinic, "r2")
        answer = await post(clinic, a_rating(5), by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["Observation.basedOn"])
        named = a_rating(5, basedOn=[{"reference": "ServiceRequest/r2"}])
        assert (await post(clinic, named, by="psychologist")).status_code == 201
        assert len(await found(clinic, "Observation?based-on=ServiceRequest/r2")) == 1


class TestOswestry:
    async def test_is_scored_from_the_answered_sections(self, clinic: TestClinic):
        await seen(clinic)
        answer = await post(clinic, oswestry(2, 2, 2, 2, 2, 2, 2, 1, 1), by="psychologist")
        assert answer.status_code == 201, answer.text
        scored = await clinic.as_("psychologist").get(f"{BASE}/Observation?code=97909-6")
        bundle = msgspec.json.decode(scored.content)
        (observation,) = [entry["resource"] for entry in bundle["entry"]]
        assert Decimal(str(observation["valueQuantity"]["value"])) == Decimal("35.56")
        assert b'"value":35.56' in scored.content
        assert observation["interpretation"][0]["coding"][0]["code"] == "moderate"
        assert observation["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{answer.json()['id']}"}]

    async def test_a_posted_score_is_refused(self, clinic: TestClinic):
        await seen(clinic)
        before = await counts(clinic)
        scored = oswestry(*[1] * 10)
        scored["item"].append({"linkId": "score", "answer": [{"valueDecimal": 2}]})
        answer = await post(clinic, scored, by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["QuestionnaireResponse.item[10].linkId"])
        assert await counts(clinic) == before

    async def test_too_few_answers_are_refused_with_how_many_there_are(self, clinic: TestClinic):
        await seen(clinic)
        before = await counts(clinic)
        answer = await post(clinic, oswestry(*[1] * 7), by="psychologist")
        assert (answer.status_code, problems(answer)) == (422, ["QuestionnaireResponse.item"])
        assert "7 of 10" in answer.json()["issue"][0]["details"]["text"]
        assert await counts(clinic) == before

    async def test_the_questionnaire_has_codes_and_scoring_and_no_licensed_wording(self, clinic: TestClinic):
        read = (await clinic.as_("psychologist").get(f"{BASE}/Questionnaire/oswestry")).json()
        assert [item["text"] for item in read["item"]] == [f"Section {number}" for number in range(1, 11)]
        assert read["code"][0]["code"] == "97909-6"
        (same,) = await found(clinic, f"Questionnaire?url={read['url']}")
        assert same == read
        assert (await clinic.as_("psychologist").get(f"{BASE}/Questionnaire/other")).status_code == 404


class TestReview:
    async def test_off_track_in_week_four_is_told_and_goes_on_the_agenda(self, clinic: TestClinic):
        await in_programme(clinic)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(20)
        await rated(clinic, 6, by="physiotherapist")
        assert await clinic.events("outcome.off-track") == []
        await clinic.days(9)
        (event,) = await clinic.events("outcome.off-track")
        assert event.focus["valueInteger"] == 6
        case = await case_of(clinic)
        assert case["reasonCode"]["coding"][0]["code"] == "off-track"
        (why,) = reasons_of(case["reasonCode"])
        assert why.arguments == (Argument("instrument", "code", "nprs"),)

    async def test_enough_improvement_is_on_track(self, clinic: TestClinic):
        await in_programme(clinic)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(20)
        await rated(clinic, 5, by="physiotherapist")
        await clinic.days(9)
        assert await clinic.events("outcome.off-track") == []
        assert await found(clinic, "Task") == []

    async def test_a_missing_measurement_is_asked_of_the_plans_owner_and_judged_when_it_comes(
        self, clinic: TestClinic
    ):
        await in_programme(clinic)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(29)
        action = await one(clinic, "Task?code=action")
        assert action["owner"] == {"reference": "Practitioner/physiotherapist", "display": "Maja Lindqvist"}
        assert "week 4" in action["description"]
        (what,) = reasons_of(action["reasonCode"])
        assert what.arguments == (Argument("week", "integer", 4), Argument("instruments", "code", "nprs"))
        assert await clinic.events("outcome.off-track") == []
        await rated(clinic, 8, by="physiotherapist")
        assert len(await clinic.events("outcome.off-track")) == 1
        await rated(clinic, 8, by="physiotherapist")
        assert len(await clinic.events("outcome.off-track")) == 1

    async def test_is_held_again_in_week_eight(self, clinic: TestClinic):
        await in_programme(clinic)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(20)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(30)
        await rated(clinic, 7, by="physiotherapist")
        await clinic.days(8)
        assert len(await clinic.events("outcome.off-track")) == 2
