"""A case waits once, with all its reasons."""

from services.careteam.fhir.tasks import CASE_REASON_SYSTEM, with_reason
from shared.fhir.reasons import reasons_of
from shared.reasons import Reason, as_written

BROUGHT = with_reason({}, why=as_written("What next?"))
OVERDUE = Reason.of("action-overdue")


def test_what_a_member_wrote_is_kept_as_requested() -> None:
    assert BROUGHT is not None
    stated = BROUGHT["reasonCode"]
    assert stated["coding"][0] == {"system": CASE_REASON_SYSTEM, "code": "requested"}
    assert stated["text"] == "What next?"


def test_another_reason_comes_after_it_and_the_same_one_comes_once() -> None:
    assert BROUGHT is not None
    both = with_reason(BROUGHT, why=OVERDUE)
    assert both is not None
    assert [reason.code for reason in reasons_of(both["reasonCode"])] == ["as-written", "action-overdue"]
    assert both["reasonCode"]["text"] == "What next? An action was not done in time."
    assert with_reason(both, why=OVERDUE) is None


def test_an_instrument_is_told_by_its_name() -> None:
    off_track = with_reason({}, why=Reason.of("off-track", instrument="nprs"))
    assert off_track is not None
    assert off_track["reasonCode"]["text"] == "Off track: Pain severity - 0-10 numeric rating."


def test_a_case_from_before_there_were_codes_keeps_its_words() -> None:
    coding = {"system": CASE_REASON_SYSTEM, "code": "off-track"}
    more = with_reason({"reasonCode": {"coding": [coding], "text": "off track: pain"}}, why=OVERDUE)
    assert more is not None
    assert more["reasonCode"]["text"] == "off track: pain. An action was not done in time."
