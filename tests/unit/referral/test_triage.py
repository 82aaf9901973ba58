"""Triage decides over coded facts; an emergency comes first and unanswered is never "no"."""

from dataclasses import replace
from datetime import date

import pytest

from services.referral import rules
from services.referral.models.facts import CoverageFact, Day, Facts, Outcome, Verdict
from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from tests.unit.referral.builders import CLINIC, PUBLIC, TODAY, WORKPLACE, facts


def triage(given: Facts, *, on: date = TODAY) -> Verdict:
    return rules.triage.triage(given, on=on, clinic=CLINIC)


def test_a_complete_referral_is_accepted_for_the_payers_programme() -> None:
    verdict = triage(facts())
    assert verdict.outcome is Outcome.ACCEPT
    assert (verdict.stream, verdict.programme, verdict.payer) == ("public", "rapid-access", None)


class TestRedFlags:
    @pytest.mark.parametrize("flag", EMERGENCY_FLAGS)
    def test_each_emergency_flag_stops_everything(self, flag: str) -> None:
        verdict = triage(facts(answers={flag: "Y"}))
        assert verdict.outcome is Outcome.EMERGENCY
        assert verdict.findings[0].rule == f"emergency-{flag}"
        assert flag in verdict.findings[0].elements[0]

    def test_an_emergency_stops_a_child_and_one_with_nothing_else_answered(self) -> None:
        only = Facts(answers={"bladder-disturbance": "Y"})
        assert triage(only).outcome is Outcome.EMERGENCY
        child = facts(answers={"bladder-disturbance": "Y"}, born=Day(date(2015, 1, 1), date(2015, 1, 1)))
        assert triage(child).outcome is Outcome.EMERGENCY

    @pytest.mark.parametrize("flag", URGENT_FLAGS)
    def test_each_urgent_flag_is_for_a_person_today_and_no_rejection(self, flag: str) -> None:
        verdict = triage(facts(answers={flag: "Y"}))
        assert verdict.outcome is Outcome.REVIEW
        assert verdict.same_day

    @pytest.mark.parametrize("flag", [*EMERGENCY_FLAGS, *URGENT_FLAGS])
    def test_unanswered_is_asked_for_and_unknown_is_for_a_person(self, flag: str) -> None:
        unanswered = triage(facts(answers={flag: None}))
        assert unanswered.outcome is Outcome.ASK
        assert [item.code for item in unanswered.missing] == [flag]
        assert triage(facts(answers={flag: "UNK"})).outcome is Outcome.REVIEW


class TestAge:
    @pytest.mark.parametrize(
        ("born", "outcome"),
        [
            (date(2008, 3, 2), Outcome.ACCEPT),
            (date(2008, 3, 3), Outcome.DECLINE),
            (date(1908, 3, 3), Outcome.ACCEPT),
        ],
        ids=["18 today", "18 tomorrow", "old"],
    )
    def test_the_18th_birthday_counts_on_the_day(self, born: date, outcome: Outcome) -> None:
        assert triage(facts(born=Day(born, born))).outcome is outcome

    def test_under_18_names_the_rule_and_the_element(self) -> None:
        verdict = triage(facts(born=Day(date(2012, 1, 1), date(2012, 1, 1))))
        assert verdict.findings[0].rule == "adult-only"
        assert verdict.findings[0].elements == ("Patient.birthDate",)

    def test_born_on_29_february_is_18_on_1_march(self) -> None:
        leap = facts(born=Day(date(2008, 2, 29), date(2008, 2, 29)))
        assert triage(leap, on=date(2026, 2, 28)).outcome is Outcome.DECLINE
        on_first = replace(leap, days={"onset-date": Day(date(2025, 12, 1), date(2025, 12, 1))})
        assert triage(on_first, on=date(2026, 3, 1)).outcome is Outcome.ACCEPT

    def test_a_birth_year_is_enough_only_when_it_decides(self) -> None:
        assert triage(facts(born=Day(date(1990, 1, 1), date(1990, 12, 31)))).outcome is Outcome.ACCEPT
        vague = triage(facts(born=Day(date(2008, 1, 1), date(2008, 12, 31))))
        assert [item.code for item in vague.missing] == ["birth-date"]
        assert triage(facts(born=None)).outcome is Outcome.ASK


class TestRapidAccess:
    @pytest.mark.parametrize(
        ("onset", "outcome"),
        [
            (date(2026, 1, 19), Outcome.ACCEPT),
            (date(2026, 1, 20), Outcome.DECLINE),
            (date(2025, 3, 2), Outcome.ACCEPT),
            (date(2025, 3, 1), Outcome.DECLINE),
        ],
        ids=["42 days", "41 days", "12 months", "12 months and a day"],
    )
    def test_from_six_weeks_to_twelve_months(self, onset: date, outcome: Outcome) -> None:
        assert triage(facts(days={"onset-date": onset})).outcome is outcome

    @pytest.mark.parametrize(
        ("on", "outcome"), [(date(2025, 2, 28), Outcome.ACCEPT), (date(2025, 3, 1), Outcome.DECLINE)]
    )
    def test_twelve_months_after_29_february_end_on_28_february(self, on: date, outcome: Outcome) -> None:
        given = facts(days={"onset-date": date(2024, 2, 29)})
        assert triage(given, on=on).outcome is outcome

    @pytest.mark.parametrize(
        ("again", "outcome"),
        [
            (date(2026, 2, 25), Outcome.ACCEPT),
            (date(2025, 3, 3), Outcome.ACCEPT),
            (date(2025, 3, 2), Outcome.DECLINE),
        ],
        ids=["a week ago", "a day less than a year", "a year ago"],
    )
    def test_a_recurrent_episode_counts_from_its_recurrence(self, again: date, outcome: Outcome) -> None:
        given = facts(
            answers={"episode": "recurrent"}, days={"onset-date": date(2012, 5, 1), "recurrence-date": again}
        )
        assert triage(given).outcome is outcome

    def test_a_recurrent_episode_without_its_date_is_asked_for(self) -> None:
        verdict = triage(facts(answers={"episode": "recurrent"}))
        assert [item.code for item in verdict.missing] == ["recurrence-date"]

    def test_an_old_onset_of_an_unknown_episode_is_asked_for(self) -> None:
        verdict = triage(facts(answers={"episode": None}, days={"onset-date": date(2020, 1, 1)}))
        assert [item.code for item in verdict.missing] == ["episode"]

    @pytest.mark.parametrize(
        ("birth", "outcome"), [(date(2025, 3, 3), Outcome.DECLINE), (date(2025, 3, 2), Outcome.ACCEPT)]
    )
    def test_364_days_after_birth_is_too_early_and_365_is_not(self, birth: date, outcome: Outcome) -> None:
        given = facts(answers={"pregnancy": "postpartum"}, days={"postpartum-date": birth})
        assert triage(given).outcome is outcome

    def test_pregnancy_and_conditions_exclude(self) -> None:
        for name, code in (
            ("pregnancy", "pregnant"),
            ("chronic-multisite-pain", "Y"),
            ("opioid-dependency", "Y"),
            ("claim-legal", "active"),
        ):
            assert triage(facts(answers={name: code})).outcome is Outcome.DECLINE, name

    def test_a_closed_claim_does_not_exclude(self) -> None:
        given = facts(answers=dict.fromkeys(("claim-workplace", "claim-motor", "claim-legal"), "closed"))
        assert triage(given).outcome is Outcome.ACCEPT

    def test_everything_that_is_missing_is_asked_for_at_once(self) -> None:
        verdict = triage(Facts(birth_date=facts().birth_date))
        codes = {item.code for item in verdict.missing}
        assert {"payer", "onset-date", "claim-legal", "pregnancy", *EMERGENCY_FLAGS, *URGENT_FLAGS} <= codes


class TestPayer:
    @pytest.mark.parametrize(
        ("kind", "stream", "programme"),
        [
            ("PUBLICPOL", "public", "rapid-access"),
            ("EHCPOL", "private", "motor-vehicle-rehabilitation"),
            ("pay", "self-pay", "motor-vehicle-rehabilitation"),
        ],
    )
    def test_the_type_of_the_coverage_gives_the_stream(self, kind: str, stream: str, programme: str) -> None:
        verdict = triage(facts(coverages=(CoverageFact(element="Coverage", kind=kind),)))
        assert (verdict.stream, verdict.programme) == (stream, programme)

    def test_the_payors_identifier_gives_insurer_and_stream(self) -> None:
        verdict = triage(facts(coverages=(PUBLIC, WORKPLACE), answers={"claim-workplace": "active"}))
        assert (verdict.stream, verdict.payer) == ("workplace", "workplace-insurer")
        assert verdict.programme == "workplace-rehabilitation"

    def test_an_active_claim_leads_away_from_the_public_stream_and_asks_for_the_insurer(self) -> None:
        verdict = triage(facts(answers={"claim-motor": "active"}))
        assert verdict.outcome is Outcome.ASK
        assert (verdict.stream, [item.code for item in verdict.missing]) == ("motor-vehicle", ["insurer"])

    def test_a_closed_claim_leaves_the_public_plan_to_pay(self) -> None:
        assert triage(facts(coverages=(PUBLIC, WORKPLACE))).stream == "public"

    def test_nobody_who_pays_is_asked_for(self) -> None:
        assert [item.code for item in triage(facts(coverages=())).missing] == ["payer"]

    def test_a_programme_that_the_payer_does_not_fund_is_rerouted(self) -> None:
        given = facts(coverages=(WORKPLACE,), programme="rapid-access", answers={"claim-workplace": "active"})
        verdict = triage(given)
        assert verdict.programme == "workplace-rehabilitation"
        assert "programme-follows-payer" in [finding.rule for finding in verdict.findings]

    def test_a_programme_of_the_stream_is_the_one_asked_for(self) -> None:
        assert triage(facts(programme="chronic-pain")).programme == "chronic-pain"

    def test_consent_is_asked_for_after_acceptance_where_the_payer_wants_to_be_asked(self) -> None:
        given = facts(coverages=(WORKPLACE,), answers={"claim-workplace": "active"})
        verdict = triage(given)
        assert verdict.outcome is Outcome.ACCEPT
        assert [item.code for item in verdict.asked_after] == ["consent"]
        assert triage(replace(given, consents=frozenset({"workplace-insurer"}))).asked_after == ()
