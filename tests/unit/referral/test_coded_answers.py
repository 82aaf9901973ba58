"""Answers in the codings that questionnaires use: a red flag is never read as "no" because of its code."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.referral import fhir, rules
from services.referral.models.facts import Facts, Outcome, Verdict
from services.referral.models.questions import EMERGENCY_FLAGS, URGENT_FLAGS
from tests.support import referrals
from tests.unit.referral.builders import CLINIC, TODAY

HL7 = "http://terminology.hl7.org/CodeSystem"
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
FLAGS = (*EMERGENCY_FLAGS, *URGENT_FLAGS)


def coded(system: str | None, code: str) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"valueCoding": {name: value for name, value in coding.items() if value is not None}}


def absent(reason: str) -> dict[str, Any]:
    return {"_valueBoolean": {"extension": [{"url": ABSENT, "valueCode": reason}]}}


def answered(*answers: dict[str, Any], of: str = "saddle-anaesthesia", **more: Any) -> dict[str, Any]:
    response = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS) | {of: "N"})
    response["item"] = [{"linkId": of, "answer": list(answers)}]
    return response | more


def read(*enclosures: dict[str, Any], born: str | None = "1980-05-17") -> Facts:
    return fhir.facts.read(
        patient=referrals.a_patient(birth_date=born),
        request=referrals.a_request("Patient/1"),
        enclosures=enclosures,
        known={},
        clinic=CLINIC,
        on=TODAY,
    )


def verdict(*enclosures: dict[str, Any], born: str | None = "1980-05-17") -> Verdict:
    return rules.triage.triage(read(*enclosures, born=born), on=TODAY, clinic=CLINIC)


YES = [
    {"valueBoolean": True},
    coded(f"{HL7}/v2-0532", "Y"),
    coded(f"{HL7}/v2-0136", "Y"),
    coded("http://hl7.org/fhir/v2/0136", "Y"),
    coded("urn:oid:2.16.840.1.113883.12.136", "Y"),
    coded(SNOMED, "373066001"),
    coded(LOINC, "LA33-6"),
    coded(None, "yes"),
    coded(None, "Y"),
]
NO = [
    {"valueBoolean": False},
    coded(f"{HL7}/v2-0532", "N"),
    coded(f"{HL7}/v2-0136", "N"),
    coded(SNOMED, "373067005"),
    coded(LOINC, "LA32-8"),
]
UNKNOWN = [
    coded(f"{HL7}/v2-0532", "UNK"),
    coded(SNOMED, "261665006"),
    coded(f"{HL7}/v3-NullFlavor", "ASKU"),
    coded("http://hl7.org/fhir/v3/NullFlavor", "UNK"),
    coded(f"{HL7}/data-absent-reason", "asked-unknown"),
    absent("unknown"),
]
OTHER = [
    coded(SNOMED, "373068000"),
    coded(LOINC, "LA999-9"),
    coded("https://vendor.example/answers", "N"),
    coded("https://vendor.example/answers", "0"),
    coded(None, "N"),
    coded(f"{HL7}/v3-NullFlavor", "NASK"),
    absent("not-asked"),
    {"valueString": "no"},
    {"valueInteger": 0},
    {"valueCoding": {"display": "No"}},
]


@pytest.mark.parametrize("answer", YES, ids=str)
def test_a_yes_is_an_emergency_in_every_coding(answer: dict[str, Any]) -> None:
    assert verdict(answered(answer)).outcome is Outcome.EMERGENCY


@pytest.mark.parametrize("answer", NO, ids=str)
@pytest.mark.parametrize("flag", FLAGS)
def test_a_no_is_known_in_every_coding(flag: str, answer: dict[str, Any]) -> None:
    assert read(answered(answer, of=flag)).answers == {flag: "N"}


@pytest.mark.parametrize("answer", UNKNOWN, ids=str)
def test_unknown_goes_to_a_person(answer: dict[str, Any]) -> None:
    said = verdict(referrals.a_response("Patient/1"), answered(answer), referrals.a_coverage("Patient/1"))
    assert said.outcome is Outcome.REVIEW
    assert "unknown-saddle-anaesthesia" in [finding.rule for finding in said.findings]


@pytest.mark.parametrize("answer", OTHER, ids=str)
@pytest.mark.parametrize("flag", ["saddle-anaesthesia", "night-pain", "opioid-dependency"])
def test_any_other_code_is_not_answered_and_asked_for(flag: str, answer: dict[str, Any]) -> None:
    sent = referrals.a_response("Patient/1", {flag: None})
    said = verdict(sent, answered(answer, of=flag), referrals.a_coverage("Patient/1"))
    assert said.outcome is Outcome.ASK
    assert flag in [missing.code for missing in said.missing]
    assert "not-understood" in [reason.code for reason in said.reasons]


@pytest.mark.parametrize(
    "question", ["claim-workplace", "claim-motor", "claim-legal", "pregnancy", "episode"]
)
@pytest.mark.parametrize(
    "answer", [coded(SNOMED, "373066001"), coded("https://other.example", "none")], ids=str
)
def test_a_question_with_codes_of_its_own_takes_no_others(question: str, answer: dict[str, Any]) -> None:
    facts = read(answered(answer, of=question))
    assert facts.answers == {}
    assert facts.unread == {question}


def test_a_claim_that_is_denied_by_a_plain_no_is_none() -> None:
    assert read(answered(coded(SNOMED, "373067005"), of="claim-motor")).answers == {"claim-motor": "none"}
    assert read(answered({"valueBoolean": False}, of="pregnancy")).answers == {"pregnancy": "no"}


class TestSeveralAnswers:
    @pytest.mark.parametrize("other", [*NO, *UNKNOWN, *OTHER], ids=str)
    def test_a_yes_wins_beside_any_other_answer_of_the_item(self, other: dict[str, Any]) -> None:
        for answers in ((YES[0], other), (other, YES[0])):
            assert verdict(answered(*answers)).outcome is Outcome.EMERGENCY

    def test_a_yes_wins_where_the_item_stands_twice(self) -> None:
        response = answered(NO[0])
        response["item"] += [{"linkId": "x", "item": [{"linkId": "saddle-anaesthesia", "answer": [YES[0]]}]}]
        assert verdict(response).outcome is Outcome.EMERGENCY
        response["item"].reverse()
        assert verdict(response).outcome is Outcome.EMERGENCY

    @pytest.mark.parametrize("later", ["2026-02-01T10:00:00Z", "2026-01-01", None])
    def test_a_yes_wins_over_two_responses_whichever_is_the_newer(self, later: str | None) -> None:
        yes = answered(YES[0], authored="2026-01-15T10:00:00Z")
        no = answered(NO[0], **({"authored": later} if later else {}))
        for responses in ((yes, no), (no, yes)):
            assert verdict(*responses).outcome is Outcome.EMERGENCY

    def test_no_and_unknown_are_unknown_and_no_beside_nonsense_is_no_answer(self) -> None:
        assert read(answered(NO[0], UNKNOWN[0])).answers == {"saddle-anaesthesia": "UNK"}
        facts = read(answered(NO[0], OTHER[0]))
        assert facts.answers == {}
        assert facts.unread == {"saddle-anaesthesia"}

    def test_two_that_contradict_each_other_exclude_nobody(self) -> None:
        answers = [coded(referrals.ANSWER_SYSTEM, code) for code in ("active", "none")]
        assert read(answered(*answers, of="claim-motor")).answers == {}

    def test_the_newest_counts_by_when_it_was_written_and_not_by_when_it_came(self) -> None:
        old = answered(NO[0], of="opioid-dependency", authored="2026-01-15")
        new = answered(YES[0], of="opioid-dependency", authored="2026-01-20T08:00:00-05:00")
        for responses in ((old, new), (new, old)):
            assert read(*responses).answers == {"opioid-dependency": "Y"}

    def test_of_a_day_too_the_newest_counts(self) -> None:
        old = answered({"valueDate": "2025-10-01"}, of="onset-date", authored="2026-01-15")
        new = answered({"valueDate": "2025-12-01"}, of="onset-date", authored="2026-01-16")
        assert read(new, old).days["onset-date"].earliest == date(2025, 12, 1)

    def test_the_newest_consent_counts_by_when_it_was_given(self) -> None:
        given = referrals.a_consent("Patient/1", payer="motor-insurer") | {"dateTime": "2026-02-01"}
        ended = referrals.a_consent("Patient/1", payer="motor-insurer", status="inactive")
        ended["dateTime"] = "2026-02-02T09:00:00Z"
        for consents in ((given, ended), (ended, given)):
            assert read(*consents).consents == frozenset()

    @pytest.mark.parametrize(
        ("given", "ended"),
        [
            ("2026-03-02T07:00:00-05:00", "2026-03-02"),
            ("2099-01-01", "2026-03-02T10:00:00Z"),
            ("2026-03-02", "2026-03-02"),
        ],
    )
    def test_in_doubt_a_consent_is_withdrawn(self, given: str, ended: str) -> None:
        arrived = {"meta": {"lastUpdated": "2026-03-02T09:00:00Z"}}
        first = referrals.a_consent("Patient/1", payer="motor-insurer") | {"dateTime": given} | arrived
        last = referrals.a_consent("Patient/1", payer="motor-insurer", status="inactive")
        last |= {"dateTime": ended, "meta": {"lastUpdated": "2026-03-02T17:00:00Z"}}
        assert read(first, last).consents == read(last, first).consents == frozenset()

    def test_a_yes_of_a_response_that_was_stopped_counts_and_nothing_else_of_it(self) -> None:
        stopped = answered(YES[0], status="stopped")
        assert verdict(referrals.a_response("Patient/1"), stopped).outcome is Outcome.EMERGENCY
        assert read(answered(NO[0], status="stopped")).answers == {}


class TestDaysThatCannotBe:
    def test_a_recurrence_to_come_is_asked_about_and_declines_nobody(self) -> None:
        coming = (TODAY + timedelta(days=1)).isoformat()
        sent = referrals.a_response("Patient/1", {"recurrence-date": coming, "episode": "recurrent"})
        said = verdict(sent, referrals.a_coverage("Patient/1"))
        assert said.outcome is Outcome.ASK
        assert [reason.code for reason in said.reasons][:2] == ["information-needed", "not-understood"]

    def test_an_onset_to_come_of_a_first_episode_is_asked_about(self) -> None:
        sent = referrals.a_response("Patient/1", {"onset-date": (TODAY + timedelta(days=1)).isoformat()})
        assert [missing.code for missing in verdict(sent, referrals.a_coverage("Patient/1")).missing] == [
            "onset-date"
        ]

    def test_a_birth_in_the_future_is_asked_about_and_declines_nobody(self) -> None:
        coming = (TODAY + timedelta(days=300)).isoformat()
        said = verdict(referrals.a_response("Patient/1"), referrals.a_coverage("Patient/1"), born=coming)
        assert said.outcome is Outcome.ASK
        assert [(missing.code, missing.element) for missing in said.missing] == [
            ("birth-date", "Patient.birthDate")
        ]

    def test_an_onset_before_birth_is_asked_about(self) -> None:
        sent = referrals.a_response("Patient/1", {"onset-date": "1979-12-01"})
        assert verdict(sent, referrals.a_coverage("Patient/1")).outcome is Outcome.ASK

    def test_today_and_this_month_can_be(self) -> None:
        for text in (TODAY.isoformat(), TODAY.isoformat()[:7]):
            assert "onset-date" in read(answered({"valueDate": text}, of="onset-date")).days


@pytest.mark.parametrize("period", [{"end": "2026-02-28"}, {"start": "2026-03-10"}], ids=str)
def test_a_coverage_out_of_its_period_is_no_payer(period: dict[str, str]) -> None:
    coverage = referrals.a_coverage("Patient/1", payer="motor-insurer") | {"period": period}
    assert read(coverage).coverages == ()
