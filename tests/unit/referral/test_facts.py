"""Facts come from codes and dates, never from words; the newest answer and the newest Consent count."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.referral import fhir
from services.referral.models.facts import Day, Facts
from tests.support import referrals
from tests.unit.referral.builders import CLINIC, TODAY


def read(*enclosures: dict[str, Any], known: dict[str, Any] | None = None) -> Facts:
    return fhir.facts.read(
        patient=referrals.a_patient(),
        request=referrals.a_request("Patient/1"),
        enclosures=enclosures,
        known=known or {},
        clinic=CLINIC,
        on=TODAY,
    )


def test_answers_are_read_in_groups_and_below_answers() -> None:
    response = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS))
    nested = {"linkId": "night-pain", "answer": [{"valueBoolean": True}]}
    response["item"] = [{"linkId": "red-flags", "item": [{"linkId": "x", "answer": [{"item": [nested]}]}]}]
    assert read(response).answers == {"night-pain": "Y"}


def test_words_are_not_searched() -> None:
    response = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS))
    response["item"] = [{"linkId": "saddle-anaesthesia", "answer": [{"valueString": "yes, saddle numbness"}]}]
    assert read(response).answers == {}


def test_another_questionnaire_says_nothing_here() -> None:
    response = referrals.a_response("Patient/1")
    response["questionnaire"] = "https://elsewhere.example/Questionnaire/1"
    assert read(response).answers == {}


def test_a_later_answer_replaces_an_earlier_one_and_the_rest_stays() -> None:
    later = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS) | {"night-pain": "Y"})
    facts = read(referrals.a_response("Patient/1"), later)
    assert facts.answers["night-pain"] == "Y"
    assert facts.answers["weight-loss"] == "N"


def test_two_answers_to_one_flag_are_a_yes_if_one_is() -> None:
    response = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS))
    yes, no = {"valueBoolean": True}, {"valueBoolean": False}
    response["item"] = [{"linkId": "night-pain", "answer": [no, yes]}]
    assert read(response).answers == {"night-pain": "Y"}


def test_a_month_is_every_day_of_it() -> None:
    response = referrals.a_response("Patient/1", dict.fromkeys(referrals.ANSWERS))
    response["item"] = [{"linkId": "onset-date", "answer": [{"valueDate": "2024-02"}]}]
    assert read(response).days["onset-date"] == Day(date(2024, 2, 1), date(2024, 2, 29))


def test_a_day_without_an_end_is_one_after_which_days_can_still_be_counted() -> None:
    for text in ("9999-12-31", "9999-12", "9999"):
        day = fhir.reading.day_of(text)
        assert day is not None
        assert day.latest + timedelta(days=42) > day.latest
    assert fhir.reading.moment_of("9999-12-31T23:30:00-05:00") == datetime(9998, 12, 31, tzinfo=UTC)


def test_the_insurer_is_known_by_identifier_and_by_a_sent_organization_never_by_name() -> None:
    by_identifier = referrals.a_coverage("Patient/1", payer="motor-insurer")
    assert read(by_identifier).coverages[0].payer == "motor-insurer"
    sent = referrals.a_coverage("Patient/1") | {"payor": [{"reference": "urn:uuid:o"}]}
    board = {"identifier": [{"system": "https://payers.example/id", "value": "workplace-board"}]}
    assert read(sent, known={"urn:uuid:o": board}).coverages[0].payer == "workplace-insurer"
    named = referrals.a_coverage("Patient/1") | {"payor": [{"display": "Lakeshore Motor Insurance"}]}
    assert read(named).coverages[0].payer is None


class TestConsent:
    def test_the_newest_word_counts(self) -> None:
        given = referrals.a_consent("Patient/1", payer="motor-insurer")
        ended = referrals.a_consent("Patient/1", payer="motor-insurer", status="inactive")
        assert read(given).consents == {"motor-insurer"}
        assert read(given, ended).consents == frozenset()
        assert read(ended, given | {"dateTime": "2026-03-02T09:00:00Z"}).consents == {"motor-insurer"}

    def test_a_denial_and_an_expired_one_open_nothing(self) -> None:
        denied = referrals.a_consent("Patient/1", payer="motor-insurer")
        denied["provision"]["type"] = "deny"
        expired = referrals.a_consent("Patient/1", payer="motor-insurer")
        expired["provision"]["period"] = {"end": "2026-03-01"}
        assert read(denied).consents == frozenset()
        assert read(expired).consents == frozenset()

    def test_a_consent_to_one_insurer_opens_nothing_to_another(self) -> None:
        assert read(referrals.a_consent("Patient/1", payer="motor-insurer")).consents == {"motor-insurer"}
