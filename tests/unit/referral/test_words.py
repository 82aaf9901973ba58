"""What triage finds and asks for reads as sentences, with the names that the clinic has."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.referral import rules, texts
from services.referral.fhir import wording
from services.referral.models.facts import CoverageFact, Facts, Verdict
from shared.reasons import Reason, Reference
from tests.unit.referral.builders import CLINIC, TODAY, WORKPLACE, facts

_TEN = datetime(2026, 3, 10, 14, tzinfo=UTC)
_BLANK = Facts(coverages=(CoverageFact(element="Coverage", kind="WCBPOL"),))


def triage(given: Facts) -> Verdict:
    return rules.triage.triage(given, on=TODAY, clinic=CLINIC)


def told(*reasons: Reason) -> str:
    return wording.told(reasons, site="toronto", clinic=CLINIC)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            facts(answers={"saddle-anaesthesia": "Y"}),
            "Red flag, send the patient to the nearest emergency department: "
            "numbness of the saddle, perianal or genital area.",
        ),
        (
            facts(answers={"claim-legal": "active"}),
            "The programme is not possible while a legal claim is active.",
        ),
        (
            facts(days={"onset-date": TODAY - timedelta(days=7)}),
            "The pain began too recently; the programme is open from 2026-04-06.",
        ),
        (facts(), "Accepted for: Rapid access low back pain assessment. The payer's stream is public."),
        (
            facts(coverages=(WORKPLACE,), programme="rapid-access", answers={"claim-workplace": "active"}),
            "Rapid access low back pain assessment is not for this payer; "
            "Workplace injury rehabilitation is.",
        ),
        (
            facts(answers={"night-pain": None, "infection-signs": None}),
            "Needed before it can be decided: whether there is fever or other signs of infection"
            ", drug injection or immune suppression; whether there is significant unexpected night pain.",
        ),
    ],
)
def test_a_verdict_reads_as_sentences(given: Facts, words: str) -> None:
    assert words in told(*triage(given).reasons)


def test_a_moment_is_told_by_the_clock_on_the_sites_wall() -> None:
    moment = Reason.of("first-appointment-booked", when=_TEN)
    assert told(moment) == "The first appointment is booked for 2026-03-10 10:00."


def test_what_a_person_wrote_follows_the_code_that_says_who() -> None:
    insurer = Reference("Organization/workplace-insurer")
    denied = [Reason.of("authorization-denied", payer=insurer), Reason.of("insurer-says")]
    assert told(*denied).endswith("denied the sessions; the clinic's turn. Reason:")
    assert "Organization/" not in told(*denied)


def test_everything_that_is_asked_for_has_its_words_and_no_words_are_idle() -> None:
    asked = [
        *triage(Facts(answers={"pregnancy": "postpartum"}, says_what=False)).missing,
        *triage(_BLANK).missing,
        *triage(facts(answers={"episode": None}, days={"onset-date": date(2020, 1, 1)})).missing,
        *triage(facts(answers={"episode": "recurrent"})).missing,
        *triage(facts(answers={"pregnancy": None, "claim-motor": "unknown"})).missing,
        *triage(facts(coverages=(WORKPLACE,), answers={"claim-workplace": "active"})).asked_after,
    ]
    assert {missing.code for missing in asked} == set(texts.MISSING)
