"""The code system of reasons lets a reader say each reason in another language and zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fhir.resources.R4B.codesystem import CodeSystem

from deploy import reasons
from deploy.services import SERVICES
from shared.fhir import reason_codes
from shared.fhir.reasons import concept
from shared.reasons import Reason, Reference, as_written

EIGHT_UTC = datetime(2026, 12, 1, 13, 0, tzinfo=UTC)
TORONTO = ZoneInfo("America/Toronto")
SYSTEMS = reasons.code_systems()
FRENCH = reason_codes.read(SYSTEMS, language="fr")
ENGLISH = reasons.texts_of("referral").sentences["en"]


def stated(*given: Reason) -> dict[str, object]:
    return concept(given, ENGLISH)


def test_a_booking_is_said_in_french_and_in_the_zone_of_the_reader() -> None:
    booked = stated(Reason.of("first-appointment-booked", when=EIGHT_UTC))
    told = reason_codes.say(booked, FRENCH, zone=TORONTO)
    assert told == "Le premier rendez-vous est fixé au 2026-12-01 08:00."


def test_a_code_is_told_by_its_french_word() -> None:
    flag = stated(Reason.of("urgent-flag", flag="weight-loss"))
    assert reason_codes.say(flag, FRENCH) == "Signal d'alarme : perte de poids inexpliquée."


def test_the_names_of_the_clinic_come_from_who_reads() -> None:
    pended = stated(Reason.of("authorization-pended", payer=Reference("Organization/board")))
    told = reason_codes.say(pended, FRENCH, names={"payer": {"Organization/board": "la CNESST"}})
    assert told == "la CNESST n'a pas encore décidé ; c'est à l'assureur d'agir."


def test_what_a_person_wrote_keeps_its_words() -> None:
    told = reason_codes.say(stated(Reason.of("declined-by-clinic"), as_written("Too far {away}.")), FRENCH)
    assert told == "Refusée par la clinique : Too far {away}."


def test_a_code_that_the_reader_does_not_know_keeps_the_sentence_with_which_it_came() -> None:
    older = concept([Reason.of("new-one")], {"new-one": "Something new."})
    assert reason_codes.say(older, FRENCH) == "Something new."


def test_english_is_said_from_the_code_too() -> None:
    told = reason_codes.say(
        stated(Reason.of("not-acknowledged", at=EIGHT_UTC)), reason_codes.read(SYSTEMS, language="en")
    )
    assert told == "Not acknowledged at 2026-12-01 13:00."


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system["id"])
def test_each_code_system_is_fhir_with_a_code_once(system: dict[str, object]) -> None:
    read = CodeSystem.model_validate(system)
    codes = [one.code for one in read.concept]
    assert len(codes) == len(set(codes)) == read.count
    assert {one.designation[0].language for one in read.concept} == {"fr"}


def test_a_code_names_its_arguments_by_kind_and_the_services_that_give_it() -> None:
    (booked,) = [one for one in SYSTEMS[0]["concept"] if one["code"] == "free-instead"]
    assert booked["property"] == [
        {"code": "Reference", "valueCode": "practitioner"},
        {"code": "dateTime", "valueCode": "start"},
        {"code": "service", "valueCode": "scheduling"},
    ]


def test_the_version_follows_from_what_is_said() -> None:
    texts = [reasons.texts_of(service) for service in SERVICES]
    assert reason_codes.code_systems(texts)[0]["version"] == SYSTEMS[0]["version"]
    assert reason_codes.code_systems(texts[:1])[0]["version"] != SYSTEMS[0]["version"]
