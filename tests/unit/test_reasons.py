"""Reasons are codes with typed arguments, which survive the way through FHIR and are said in words."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.errors import Conflict
from shared.fhir.reasons import ARGUMENT_EXTENSION, added, concept, note, reasons_of, reasons_of_notes
from shared.reasons import Reason, Reference, all_said, as_written, said

NINE = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
SENTENCES = {
    "booked": "It is booked for {when:%Y-%m-%d %H:%M} with {who}.",
    "held": "{count} of {kinds} were held until {day}.",
}
BOOKED = Reason.of("booked", when=NINE, who=Reference("Practitioner/robin"))
HELD = Reason.of("held", count=3, kinds=["first", "session"], day=date(2026, 3, 9), site=None)


def test_a_reason_is_said_in_the_zone_of_who_reads_it() -> None:
    assert said(BOOKED, SENTENCES) == "It is booked for 2026-03-02 14:00 with Practitioner/robin."
    toronto = said(BOOKED, SENTENCES, zone=ZoneInfo("America/Toronto"))
    assert toronto == "It is booked for 2026-03-02 09:00 with Practitioner/robin."


def test_several_values_of_one_name_are_said_in_order() -> None:
    assert said(HELD, SENTENCES) == "3 of first, session were held until 2026-03-09."


def test_what_a_person_wrote_is_said_as_it_stands() -> None:
    written = as_written("They moved {away}.")
    assert all_said([HELD, written], SENTENCES).endswith("until 2026-03-09. They moved {away}.")


def test_a_code_without_a_sentence_is_no_reason() -> None:
    with pytest.raises(LookupError):
        said(Reason.of("unknown"), SENTENCES)


def test_a_naive_time_is_no_argument() -> None:
    with pytest.raises(ValueError, match="zone"):
        Reason.of("booked", when=NINE.replace(tzinfo=None))


def test_each_reason_is_a_coding_with_its_typed_arguments() -> None:
    stated = concept([BOOKED, as_written("And more.")], SENTENCES)
    assert stated["text"] == "It is booked for 2026-03-02 14:00 with Practitioner/robin. And more."
    assert stated["coding"][0]["extension"][0] == {
        "url": ARGUMENT_EXTENSION,
        "extension": [
            {"url": "name", "valueCode": "when"},
            {"url": "value", "valueDateTime": "2026-03-02T14:00:00.000Z"},
        ],
    }
    assert stated["coding"][1]["code"] == "as-written"


def test_reasons_come_back_from_fhir_with_the_sentence_of_who_gave_them() -> None:
    read = reasons_of(json.loads(json.dumps(concept([BOOKED, HELD], SENTENCES))))
    assert [(reason.code, reason.arguments) for reason in read] == [
        (reason.code, reason.arguments) for reason in (BOOKED, HELD)
    ]
    assert all_said(read, {}) == all_said([BOOKED, HELD], SENTENCES)


def test_a_concept_in_words_only_is_as_written() -> None:
    assert reasons_of({"text": " Moved away. "}) == [as_written("Moved away.")]
    assert reasons_of({}) == []
    assert concept([], SENTENCES) == {}


def test_reasons_come_after_what_a_concept_says_already() -> None:
    stated = added({"coding": [{"system": "hl7", "code": "prov"}], "text": "First."}, [HELD], SENTENCES)
    assert [coding["code"] for coding in stated["coding"]] == ["prov", "held"]
    assert stated["text"] == "First. 3 of first, session were held until 2026-03-09."
    assert added({"text": "First."}, [], SENTENCES) == {"text": "First."}


def test_a_note_has_the_sentences_as_text_and_the_reasons_beside_it() -> None:
    notes = note([BOOKED, HELD], SENTENCES)
    assert notes[0]["text"] == all_said([BOOKED, HELD], SENTENCES)
    assert [reason.code for reason in reasons_of_notes(notes)] == ["booked", "held"]
    assert reasons_of_notes([{"text": "By hand."}]) == [as_written("By hand.")]
    assert note([], SENTENCES) == []


def test_a_refusal_has_the_words_of_its_reason() -> None:
    refusal = Conflict.because(BOOKED, SENTENCES, expression="Appointment.start")
    (problem,) = refusal.problems
    assert str(refusal) == "It is booked for 2026-03-02 14:00 with Practitioner/robin."
    assert (problem.expression, problem.reason) == ("Appointment.start", BOOKED)


def test_a_row_keeps_reasons_as_json_and_gets_them_back() -> None:
    class Kept(SQLModel):
        reason: list[Reason] = Field(default_factory=list, sa_type=JSONB)

    kept = Kept(reason=[BOOKED, as_written("words")])
    stored = json.loads(kept.model_dump_json())["reason"]
    assert Kept(reason=stored).reason == [BOOKED, as_written("words")]


def test_a_code_is_told_by_its_words_where_it_has_some() -> None:
    words = {"kinds": {"first": "a first visit", "session": "a session, of several"}}
    told = said(HELD, SENTENCES, words=words)
    assert told == "3 of a first visit; a session, of several were held until 2026-03-09."
    assert concept([HELD], SENTENCES, words=words)["text"] == told


def test_words_without_an_end_get_a_full_stop_before_what_follows() -> None:
    assert all_said([as_written("They moved away"), HELD], SENTENCES).startswith("They moved away. 3 of")
    assert all_said([HELD, as_written("They moved away")], SENTENCES).endswith("2026-03-09. They moved away")
    assert all_said([], SENTENCES) == ""
