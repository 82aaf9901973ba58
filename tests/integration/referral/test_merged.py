"""A merged referral follows the first one, ends with it, and comes back where that is taken away."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.referral.doors import business_status, located, operate, send, task_of, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic() as running:
        yield running


async def merged(clinic: TestClinic, **duplicate: Any) -> tuple[str, str]:
    """Send a referral, and the same need by another practice, and merge the second into the first."""
    first = located(await send(clinic, referrals.bundle(health_card="99", identifier="first")))
    sent = referrals.bundle(**({"health_card": "99", "identifier": "second"} | duplicate))
    second = located(await send(clinic, sent, as_="second-practice"))
    into = {"reference": f"ServiceRequest/{first}"}
    answer = await operate(clinic, "coordinator", second, "merge", into=into)
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    return first, second


async def seen_by_the_second(clinic: TestClinic, referral: str) -> dict[str, Any]:
    return await task_of(clinic, referral, as_="second-practice")


async def test_its_sender_sees_where_the_first_stands(clinic: TestClinic) -> None:
    first, second = await merged(clinic)
    task = await seen_by_the_second(clinic, second)
    assert (task["status"], business_status(task)) == ("on-hold", "merged")
    visit = await clinic.as_("coordinator").get(
        f"/scheduling/fhir/Appointment?based-on=ServiceRequest/{first}"
    )
    booked = visit.json()["entry"][0]["resource"]
    why = {
        "system": "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason",
        "code": "prov",
    }
    changed = booked | {"status": "cancelled", "cancelationReason": {"coding": [why]}}
    answer = await clinic.as_("coordinator").put(
        f"/scheduling/fhir/Appointment/{booked['id']}",
        json=changed,
        headers={"If-Match": f'W/"{booked["meta"]["versionId"]}"'},
    )
    assert answer.status_code == 200, answer.text
    await clinic.settle()
    now = await task_of(clinic, first)
    task = await seen_by_the_second(clinic, second)
    assert now["statusReason"]["text"] in task["statusReason"]["text"]
    assert int(task["meta"]["versionId"]) >= 3


async def test_what_one_sender_calls_its_referral_is_not_shown_on_the_others(clinic: TestClinic) -> None:
    first, _ = await merged(clinic)
    stored = (await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{first}")).json()
    assert {identifier["value"] for identifier in stored["identifier"]} == {"first"}


@pytest.mark.parametrize("end", ["revoke", "close"])
async def test_it_comes_back_to_a_person_where_the_first_is_revoked_or_closed(
    clinic: TestClinic, end: str
) -> None:
    first, second = await merged(clinic)
    party = "family-practice" if end == "revoke" else "coordinator"
    answer = await operate(clinic, party, first, end, reason="moved away")
    assert answer.status_code == 200, answer.text
    task = await seen_by_the_second(clinic, second)
    assert (task["status"], business_status(task)) == ("received", "awaiting-review")
    [review] = await work_of(clinic, "coordinator", "code=review-referral&status=requested")
    assert "into which it was merged" in review["statusReason"]["text"]
    accepted = await operate(clinic, "coordinator", second, "accept", reason="goes on alone")
    assert accepted.status_code == 200, accepted.text
    await clinic.settle()
    assert business_status(await seen_by_the_second(clinic, second)) == "booked"
    team = await clinic.as_("coordinator").get("/careteam/fhir/CareTeam?status=active")
    assert team.json()["total"] == 1


async def test_it_can_be_revoked_by_its_own_sender_and_stays_so(clinic: TestClinic) -> None:
    first, second = await merged(clinic)
    answer = await operate(clinic, "second-practice", second, "revoke", reason="sent by mistake")
    assert answer.status_code == 200, answer.text
    assert business_status(await seen_by_the_second(clinic, second)) == "revoked"
    await operate(clinic, "family-practice", first, "revoke", reason="moved away")
    assert business_status(await seen_by_the_second(clinic, second)) == "revoked"
    # Once, for the coordinator who merged it; what another sender has sent is a duplicate that is not told.
    assert (await told(clinic)).count("referral.review-needed") == 1


async def test_a_correction_of_the_first_keeps_what_it_is_called_since_the_merge(clinic: TestClinic) -> None:
    sent = referrals.bundle(health_card="98", identifier="first")
    first = located(await send(clinic, sent))
    duplicate = located(await send(clinic, referrals.bundle(health_card="98", identifier="second")))
    into = {"reference": f"ServiceRequest/{first}"}
    assert (await operate(clinic, "coordinator", duplicate, "merge", into=into)).status_code == 200
    referrals.resource(sent, "ServiceRequest")["priority"] = "asap"
    assert (await send(clinic, sent)).status_code == 200
    now = (await clinic.as_("family-practice").get(f"/referral/fhir/ServiceRequest/{first}")).json()
    assert now["priority"] == "asap"
    assert [identifier["value"] for identifier in now["identifier"]] == ["first", "second"]
