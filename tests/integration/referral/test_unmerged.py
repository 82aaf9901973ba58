"""Records that were merged by mistake: what was done because of it is given back or asked about."""

from typing import Any

from tests.integration.referral.doors import business_status, located, operate, send, task_of, work_of
from tests.integration.referral.test_one_person import (
    MISSPELT,
    about,
    merge,
    patient_operation,
    read,
    two_records,
)
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

UNREAD = {"answers": {"cancer-history": "UNK"}}


async def unmerge(clinic: TestClinic, patient: str) -> None:
    answer = await patient_operation(clinic, patient, "unmerge", reason="they are cousins")
    assert answer.status_code == 200, answer.text


async def merged_into(clinic: TestClinic, duplicate: str, first: str) -> None:
    into = {"reference": f"ServiceRequest/{first}"}
    answer = await operate(clinic, "coordinator", duplicate, "merge", into=into)
    assert answer.status_code == 200, answer.text


def only_named(patient: str, **bundle: Any) -> dict[str, Any]:
    """Make a referral that names a patient by id."""
    named = referrals.bundle(**bundle)
    named["entry"] = [entry for entry in named["entry"] if entry["request"]["url"] != "Patient"]
    for entry in named["entry"]:
        for member in ("subject", "beneficiary"):
            if member in entry["resource"]:
                entry["resource"][member] = {"reference": f"Patient/{patient}"}
    return named


async def test_what_came_meanwhile_and_was_merged_across_comes_back(clinic: TestClinic) -> None:
    first, second = await two_records(clinic, programme="chronic-pain")
    await clinic.days(0.1)
    await merge(clinic, second, first)
    answer = await send(clinic, about(programme="chronic-pain"), as_="second-practice")
    duplicate = located(answer)
    [work] = await work_of(clinic, "coordinator", f"code=merge-duplicate&focus=ServiceRequest/{duplicate}")
    named = work["input"][0]["valueReference"]["reference"].rpartition("/")[2]
    await merged_into(clinic, duplicate, named)
    await unmerge(clinic, second)
    task = await task_of(clinic, duplicate, as_="second-practice")
    assert business_status(task) == "awaiting-review"


async def test_of_three_records_what_was_merged_between_two_comes_back(clinic: TestClinic) -> None:
    goes_on = located(await send(clinic, about()), "Patient")
    one = await send(clinic, about(MISSPELT, programme="chronic-pain"), as_="second-practice")
    name = {"name": [{"family": "Abarnathy", "given": ["Noor"]}]}
    two = await send(clinic, about(name, programme="rapid-access", **UNREAD), as_="second-practice")
    for record in (one, two):
        assert (await merge(clinic, located(record, "Patient"), goes_on)).status_code == 200
    await merged_into(clinic, located(two), located(one))
    await unmerge(clinic, located(two, "Patient"))
    task = await task_of(clinic, located(two), as_="second-practice")
    assert business_status(task) == "awaiting-review"


async def test_what_its_sender_has_revoked_since_is_asked_about_no_more(clinic: TestClinic) -> None:
    first_referral = located(await send(clinic, about()))
    answer = await send(clinic, about(MISSPELT, programme="rapid-access", **UNREAD), as_="second-practice")
    second, referral = located(answer, "Patient"), located(answer)
    first = (await task_of(clinic, first_referral))["for"]["reference"].rpartition("/")[2]
    await merge(clinic, second, first)
    await merged_into(clinic, referral, first_referral)
    await operate(clinic, "second-practice", referral, "revoke", reason="no need")
    await unmerge(clinic, second)
    asked = await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
    assert not [work for work in asked if "report" in work["statusReason"]["text"]]


async def test_a_duplicate_that_waits_is_a_persons_to_decide(clinic: TestClinic) -> None:
    goes_on = located(await send(clinic, about()), "Patient")
    answer = await send(clinic, about(MISSPELT, **UNREAD), as_="second-practice")
    await merge(clinic, located(answer, "Patient"), goes_on)
    await unmerge(clinic, located(answer, "Patient"))
    assert not await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")
    query = f"code=review-referral&status=requested&focus=ServiceRequest/{located(answer)}"
    [review] = await work_of(clinic, "coordinator", query)
    assert "two people after all" in review["statusReason"]["text"]


async def test_the_doubt_of_a_referral_that_has_ended_ends_with_the_merge(clinic: TestClinic) -> None:
    first = located(await send(clinic, about()), "Patient")
    answer = await send(clinic, about(MISSPELT), as_="second-practice")
    await operate(clinic, "coordinator", located(answer), "close", reason="seen elsewhere")
    assert await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")
    await merge(clinic, located(answer, "Patient"), first)
    assert not await work_of(clinic, "coordinator", "code=resolve-identity&status=requested")


async def test_two_referrals_that_were_decided_to_be_two_are_not_asked_about_again(
    clinic: TestClinic,
) -> None:
    goes_on = located(await send(clinic, about(programme="chronic-pain")), "Patient")
    other = located(await send(clinic, about(programme="chronic-pain")))
    accepted = await operate(clinic, "coordinator", other, "accept", reason="two needs")
    assert accepted.status_code == 200, accepted.text
    sent = about(MISSPELT, programme="workplace-rehabilitation")
    await merge(clinic, located(await send(clinic, sent, as_="second-practice"), "Patient"), goes_on)
    assert not await work_of(clinic, "coordinator", "code=merge-duplicate&status=requested")


async def test_a_dry_run_of_who_is_named_by_a_merged_record_writes_nothing(clinic: TestClinic) -> None:
    first, second = await two_records(clinic)
    await merge(clinic, second, first)

    async def records() -> int:
        async with clinic.databases["referral"].transaction() as tx:
            return len((await sql(tx, "SELECT id FROM source_record")).all())

    before = await records()
    tried = await clinic.as_("second-practice").post(
        "/referral/fhir/ServiceRequest/$validate", json=only_named(second, programme="chronic-pain")
    )
    assert tried.status_code == 200
    assert "accept" in tried.text
    assert await records() == before


class TestADeath:
    async def test_of_whom_the_referral_is_in_doubt_is_not_written(self, clinic: TestClinic) -> None:
        sent = about(identifier="one", answers={"onset-date": None})
        answer = await send(clinic, sent)
        patient = located(answer, "Patient")
        wrong = about(
            {"name": [{"family": "Zimmer", "given": ["Karl"]}]},
            identifier="one",
            answers={"onset-date": None},
        )
        await send(clinic, wrong)
        said = referrals.resource(wrong, "Patient") | {"deceasedBoolean": True}
        told = await operate(clinic, "family-practice", located(answer), "provide-information", patient=said)
        assert told.status_code == 200, told.text
        assert "deceasedBoolean" not in await read(clinic, patient)

    async def test_that_two_have_said_stands_while_one_of_them_says_so(self, clinic: TestClinic) -> None:
        died = {"deceasedBoolean": True}
        patient = located(await send(clinic, about(died, identifier="one")), "Patient")
        theirs = about(died, identifier="two", programme="chronic-pain")
        assert located(await send(clinic, theirs, as_="second-practice"), "Patient") == patient
        referrals.resource(theirs, "Patient")["deceasedBoolean"] = False
        await send(clinic, theirs, as_="second-practice")
        assert (await read(clinic, patient))["deceasedBoolean"] is True
        [work] = await work_of(clinic, "coordinator", "code=update-patient&status=requested")
        assert work["contained"][0]["deceasedBoolean"] is False

    async def test_that_stands_on_another_record_is_offered_to_be_taken_back(
        self, clinic: TestClinic
    ) -> None:
        goes_on = located(await send(clinic, about()), "Patient")
        died = about(MISSPELT | {"deceasedBoolean": True})
        await merge(clinic, located(await send(clinic, died, as_="second-practice"), "Patient"), goes_on)
        lives = about(MISSPELT | {"deceasedBoolean": False}, programme="chronic-pain")
        answer = await send(clinic, lives, as_="second-practice")
        query = f"code=update-patient&focus=ServiceRequest/{located(answer)}"
        [work] = await work_of(clinic, "coordinator", query)
        assert work["contained"][0]["deceasedBoolean"] is False
