"""Whom a programme is for is data of clinic.yaml: every criterion, and none where none is named."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.referral.models.facts import Day, Outcome, Verdict
from services.referral.rules.triage import triage
from shared.clinic import Clinic, ClinicFileError, load_clinic
from shared.fhir.start_back import StartBack
from tests.unit.referral.builders import CLINIC, PUBLIC, TODAY, WORKPLACE, day, facts

EXAMPLE = Path(__file__).parents[3] / "examples" / "clinic.yaml"


def clinic_with(**criteria: Any) -> Clinic:
    """Give rapid access these criteria and no others."""
    data = CLINIC.model_dump(by_alias=True)
    data["programmes"] = [
        programme | {"eligibility": criteria} if programme["id"] == "rapid-access" else programme
        for programme in data["programmes"]
    ]
    return Clinic.model_validate(data)


def judged(clinic: Clinic, **given: Any) -> Verdict:
    return triage(facts(**given), on=TODAY, clinic=clinic)


def fired(verdict: Verdict) -> str:
    assert verdict.outcome is Outcome.DECLINE, verdict
    return verdict.findings[0].rule


class TestAge:
    @pytest.mark.parametrize(
        ("criteria", "age", "fits"),
        [
            ({"min_age": 16}, 16, True),
            ({"min_age": 16}, 15, False),
            ({"min_age": 18, "max_age": 65}, 65, True),
            ({"min_age": 18, "max_age": 65}, 66, False),
            ({}, 17, False),
            ({"min_age": 0}, 3, True),
        ],
    )
    def test_is_that_of_the_programme(self, criteria: dict[str, int], age: int, fits: bool) -> None:
        born = day(date(TODAY.year - age, TODAY.month, TODAY.day))
        verdict = judged(clinic_with(**criteria), born=born)
        assert (verdict.outcome is Outcome.ACCEPT) is fits

    def test_of_which_only_the_year_is_known_decides_where_every_day_would(self) -> None:
        year = Day(date(TODAY.year - 66, 1, 1), date(TODAY.year - 66, 12, 31))
        verdict = judged(clinic_with(min_age=18, max_age=65), born=year)
        assert [missing.code for missing in verdict.missing] == ["birth-date"]


class TestPain:
    @pytest.mark.parametrize(("ago", "fits"), [(13, False), (14, True)])
    def test_lasts_as_many_days_as_the_programme_says(self, ago: int, fits: bool) -> None:
        verdict = judged(clinic_with(pain_from_days=14), days={"onset-date": TODAY - timedelta(days=ago)})
        assert (verdict.outcome is Outcome.ACCEPT) is fits

    def test_longer_than_its_months_excludes(self) -> None:
        verdict = judged(clinic_with(pain_to_months=6), days={"onset-date": TODAY - timedelta(days=200)})
        assert fired(verdict) == "rapid-access-too-long"

    def test_is_not_asked_about_where_no_criterion_names_it(self) -> None:
        given = facts(answers={"episode": None})
        bare = triage(given, on=TODAY, clinic=clinic_with())
        assert bare.outcome is Outcome.ACCEPT

    def test_the_old_names_of_the_two_sets_are_still_read(self) -> None:
        data = CLINIC.model_dump(by_alias=True)
        for programme in data["programmes"]:
            programme["eligibility"] = "rapid-access" if programme["id"] == "rapid-access" else "adult"
        assert Clinic.model_validate(data).programmes == CLINIC.programmes


class TestExclusions:
    @pytest.mark.parametrize(
        ("link_id", "answer"),
        [("claim-legal", "active"), ("pregnancy", "pregnant"), ("opioid-dependency", "Y")],
    )
    def test_exclude_where_the_programme_names_them_and_only_there(self, link_id: str, answer: str) -> None:
        given = {"answers": {link_id: answer}}
        assert fired(judged(clinic_with(exclude=(link_id,)), **given)) == f"rapid-access-{link_id}"
        assert judged(clinic_with(), **given).outcome is Outcome.ACCEPT

    def test_unanswered_is_asked_where_it_is_named_and_only_there(self) -> None:
        given = {"answers": {"claim-legal": None}}
        assert [one.code for one in judged(clinic_with(exclude=("claim-legal",)), **given).missing] == [
            "claim-legal"
        ]
        assert judged(clinic_with(), **given).outcome is Outcome.ACCEPT


class TestPayers:
    def test_a_programme_is_only_for_those_that_it_names(self) -> None:
        data = CLINIC.model_dump(by_alias=True)
        ours, *others = [one for one in data["programmes"] if "workplace" in one["streams"]]
        assert not others
        special = ours | {"id": "other-insurer-only", "eligibility": {"payers": ("motor-insurer",)}}
        data["programmes"] = [special, *data["programmes"]]
        verdict = triage(facts(coverages=(WORKPLACE,)), on=TODAY, clinic=Clinic.model_validate(data))
        assert verdict.programme == ours["id"]


class TestStartBack:
    def test_a_high_risk_proposes_the_programme_and_changes_none(self) -> None:
        verdict = judged(CLINIC, start_back=StartBack(total=7, distress=4, risk="high"))
        assert verdict.programme == "rapid-access"
        (finding,) = [one for one in verdict.findings if one.rule == "start-back-high"]
        assert [reason.code for reason in finding.reasons] == ["start-back", "programme-proposed"]

    def test_of_another_risk_or_payer_nothing_is_proposed(self) -> None:
        for given in (
            {"start_back": StartBack(total=2, distress=0, risk="low"), "coverages": (PUBLIC,)},
            {"start_back": StartBack(total=7, distress=4, risk="high"), "coverages": (WORKPLACE,)},
        ):
            verdict = judged(CLINIC, **given)
            codes = [reason.code for one in verdict.findings for reason in one.reasons]
            assert "start-back" in codes
            assert "programme-proposed" not in codes


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ({"payers": ["nobody"]}, "there is no 'nobody'"),
        ({"min_age": 30, "max_age": 20}, "must not be under min_age"),
        ({"exclude": ["astrology"]}, "claim-workplace"),
        ({"pain": 3}, "pain"),
        ("rapid", "allowed are criteria"),
    ],
)
def test_a_wrong_criterion_stops_the_start_with_what_is_allowed(
    tmp_path: Path, criteria: Any, told: str
) -> None:
    data = yaml.safe_load(EXAMPLE.read_text())
    data["programmes"][0]["eligibility"] = criteria
    path = tmp_path / "clinic.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(ClinicFileError, match=told):
        load_clinic(path)
