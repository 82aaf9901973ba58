"""Corrections with several resources of a type: nothing is lost, doubled or given to another payer."""

from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.integration.referral.test_corrections import EMERGENCY, corrected, read
from tests.support import referrals
from tests.support.clinic import TestClinic


def also(sent: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Put another resource into a Bundle."""
    entry = {
        "fullUrl": f"urn:uuid:{uuid4()}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }
    return sent | {"entry": [*sent["entry"], entry]}


async def stands(clinic: TestClinic, referral: str, *, as_: str = "family-practice") -> str:
    return business_status(await task_of(clinic, referral, as_=as_))


async def test_a_yes_is_not_overwritten_by_another_response_of_the_same_identifier(
    clinic: TestClinic,
) -> None:
    sent = referrals.bundle(identifier="s-1")
    response = referrals.resource(sent, "QuestionnaireResponse")
    response["identifier"] = {"system": "urn:q", "value": "1"}
    await send(clinic, sent)
    flagged = corrected(sent, **EMERGENCY)
    await send(clinic, also(flagged, deepcopy(response)))
    assert "referral.redirected-to-emergency" in await told(clinic)


async def test_a_response_to_another_form_is_no_newer_version_of_ours(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-2", answers={"infection-signs": "Y"})
    referral = located(await send(clinic, sent))
    again = deepcopy(sent)
    response = referrals.resource(again, "QuestionnaireResponse")
    response["questionnaire"] = "http://elsewhere.example/Questionnaire/phq-9"
    response["item"] = [{"linkId": "1", "answer": [{"valueInteger": 2}]}]
    await send(clinic, again)
    assert await stands(clinic, referral) == "awaiting-review"
    assert (await read(clinic, "QuestionnaireResponse"))["total"] == 2
    assert len(await work_of(clinic, "physiotherapist", "code=review-referral&status=requested")) == 1


async def test_what_the_clinic_made_is_never_overwritten(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-3")
    await send(clinic, sent)
    theirs = {
        "resourceType": "Provenance",
        "target": [{"display": "the referral"}],
        "recorded": "2026-03-02T10:00:00Z",
        "agent": [{"who": {"display": "me"}}],
    }
    assert (await send(clinic, also(sent, theirs))).status_code == 200
    for entry in (await read(clinic, "Provenance?_count=50"))["entry"]:
        assert entry["resource"]["meta"]["versionId"] == "1"


async def test_several_of_a_type_are_not_doubled(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-4")
    subject = referrals.resource(sent, "QuestionnaireResponse")["subject"]["reference"]
    sent = also(sent, referrals.a_response(subject, {"night-pain": "N"}))
    await send(clinic, sent)
    for words in ("one", "two"):
        referrals.resource(sent, "ServiceRequest")["note"] = [{"text": words}]
        assert (await send(clinic, sent)).status_code == 200
    assert (await read(clinic, "QuestionnaireResponse"))["total"] == 2
    assert (await read(clinic, "Coverage"))["total"] == 1


async def test_the_policy_of_one_insurer_is_not_given_to_another(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-5", payer="motor-insurer")
    await send(clinic, sent)
    again = deepcopy(sent)
    subject = referrals.resource(again, "Coverage")["beneficiary"]["reference"]
    other = referrals.a_coverage(subject, payer="workplace-insurer") | {"subscriberId": "WSIB-SECRET"}
    next(entry for entry in again["entry"] if entry["resource"]["resourceType"] == "Coverage")["resource"] = (
        other
    )
    assert (await send(clinic, again)).status_code == 200
    seen = await clinic.as_("motor-insurer").get("/referral/fhir/Coverage")
    assert "WSIB-SECRET" not in seen.text
    assert len(await work_of(clinic, "coordinator", "code=review-referral&status=requested")) == 1


async def test_the_status_of_what_has_ended_stays_when_an_emergency_comes(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-6")
    referral = located(await send(clinic, sent))
    await operate(clinic, "family-practice", referral, "revoke", reason="moved")
    await send(clinic, corrected(sent, **EMERGENCY))
    assert (await read(clinic, f"ServiceRequest/{referral}"))["status"] == "revoked"


async def test_a_flag_that_comes_again_is_told_again(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-7")
    referral = located(await send(clinic, sent))
    for number in (1, 2):
        await send(clinic, corrected(sent, **EMERGENCY))
        assert (await told(clinic)).count("referral.redirected-to-emergency") == number
        await operate(clinic, "family-practice", referral, "acknowledge")
        await send(clinic, sent)


async def test_a_correction_does_not_push_the_clock_of_an_urgent_review_on(clinic: TestClinic) -> None:
    sent = referrals.bundle(identifier="s-8", answers={"infection-signs": "Y"})
    await send(clinic, sent)
    start = clinic.clock.now()
    for number, hours in enumerate((3.5, 4.5)):
        await clinic.at(start + timedelta(hours=hours))
        referrals.resource(sent, "ServiceRequest")["note"] = [{"text": f"note {number}"}]
        assert (await send(clinic, sent)).status_code == 200
    assert (await told(clinic)).count("referral.triage-overdue") == 1
    physician = await clinic.as_("pain-physician").get("/referral/fhir/ServiceRequest")
    assert physician.json()["total"] == 1


async def test_an_urgent_flag_that_is_taken_back_is_read_by_the_clinician_all_the_same(
    clinic: TestClinic,
) -> None:
    sent = referrals.bundle(identifier="s-9", answers={"infection-signs": "Y"})
    referral = located(await send(clinic, sent))
    await send(clinic, corrected(sent))
    assert await stands(clinic, referral) == "awaiting-review"
    assert (await operate(clinic, "coordinator", referral, "accept", reason="x")).status_code == 409
    assert (await operate(clinic, "physiotherapist", referral, "accept", reason="x")).status_code == 200


async def test_what_is_an_emergency_and_urgent_is_accepted_by_a_clinician_if_at_all(
    clinic: TestClinic,
) -> None:
    flags = EMERGENCY | {"infection-signs": "Y"}
    referral = located(await send(clinic, referrals.bundle(answers=flags)))
    await operate(clinic, "family-practice", referral, "acknowledge")
    assert (await operate(clinic, "coordinator", referral, "accept", reason="x")).status_code == 409
    assert (await operate(clinic, "physiotherapist", referral, "accept", reason="x")).status_code == 200


@pytest.mark.parametrize("end", ["revoke", "close", "decline"])
async def test_nothing_is_merged_into_what_does_not_go_on(clinic: TestClinic, end: str) -> None:
    answers = {"night-pain": "UNK"} if end == "decline" else {}
    first = located(await send(clinic, referrals.bundle(health_card="61", answers=answers)))
    second = located(await send(clinic, referrals.bundle(health_card="61"), as_="second-practice"))
    party = "family-practice" if end == "revoke" else "coordinator"
    assert (await operate(clinic, party, first, end, reason="x")).status_code == 200
    into = {"reference": f"ServiceRequest/{first}"}
    answer = await operate(clinic, "coordinator", second, "merge", into=into)
    assert answer.status_code == 409, answer.text


async def test_what_was_merged_comes_back_where_the_first_is_declined_and_the_others_follow_it(
    clinic: TestClinic,
) -> None:
    sent = referrals.bundle(health_card="62", answers={"night-pain": "UNK"})
    first = located(await send(clinic, sent))
    others = []
    for _ in range(2):
        other = located(await send(clinic, referrals.bundle(health_card="62"), as_="second-practice"))
        into = {"reference": f"ServiceRequest/{first}"}
        answer = await operate(clinic, "coordinator", other, "merge", into=into)
        assert answer.status_code == 200, answer.text
        others.append(other)
    await operate(clinic, "coordinator", first, "decline", reason="no")
    states = [await stands(clinic, other, as_="second-practice") for other in others]
    assert states == ["awaiting-review", "merged"]


async def test_an_urgent_flag_of_what_was_merged_is_seen(clinic: TestClinic) -> None:
    first = located(await send(clinic, referrals.bundle(health_card="63")))
    sent = referrals.bundle(health_card="63", identifier="merged")
    second = located(await send(clinic, sent, as_="second-practice"))
    into = {"reference": f"ServiceRequest/{first}"}
    await operate(clinic, "coordinator", second, "merge", into=into)
    answer = await send(clinic, corrected(sent, **{"infection-signs": "Y"}), as_="second-practice")
    assert answer.status_code == 200, answer.text
    assert len(await work_of(clinic, "coordinator", "code=review-referral&status=requested")) == 1


async def test_nobody_who_has_died_is_accepted(clinic: TestClinic) -> None:
    sent = referrals.bundle()
    referrals.resource(sent, "Patient")["deceasedBoolean"] = True
    referral = located(await send(clinic, sent))
    assert (await operate(clinic, "coordinator", referral, "accept", reason="x")).status_code == 409
