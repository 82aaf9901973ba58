"""How often a request talks to the database: counters, since times depend on the machine."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.referral.doors import located, send
from tests.support.clinic import TestClinic
from tests.support.referrals import bundle


@pytest_asyncio.fixture
async def still() -> AsyncIterator[TestClinic]:
    """A clinic whose workers rest, so that every statement is a request's."""
    async with TestClinic(services=("referral",)) as clinic:
        for worker in clinic.workers.values():
            await worker.stop()
        # The first key of an hour also sweeps away what is a week old.
        first = {"Idempotency-Key": "sweep"}
        await clinic.as_("family-practice").post("/referral/fhir", json=bundle(), headers=first)
        yield clinic


async def trips(clinic: TestClinic, method: str, address: str, **options: object) -> int:
    database = clinic.databases["referral"]
    before = database.round_trips
    answer = await clinic.as_("family-practice").request(method, address, **options)  # type: ignore[arg-type]
    assert answer.is_success, answer.text
    return database.round_trips - before


class TestOneRoundTripIs:
    async def test_all_that_a_new_referral_of_a_new_patient_takes(self, still: TestClinic) -> None:
        assert await trips(still, "POST", "/referral/fhir", json=bundle()) == 1

    async def test_all_that_it_takes_with_a_key(self, still: TestClinic) -> None:
        key = {"Idempotency-Key": "one"}
        assert await trips(still, "POST", "/referral/fhir", json=bundle(), headers=key) == 1

    async def test_all_that_it_takes_with_a_claim_to_the_insurer(self, still: TestClinic) -> None:
        assert await trips(still, "POST", "/referral/fhir", json=bundle(payer="workplace-insurer")) == 1


class TestAReadTakes:
    async def test_one_look_and_one_audit_and_a_search_both_in_one(self, still: TestClinic) -> None:
        referral = located(await send(still, bundle()))
        assert await trips(still, "GET", f"/referral/fhir/ServiceRequest/{referral}") == 2
        assert await trips(still, "GET", f"/referral/fhir/Task?focus=ServiceRequest/{referral}") == 1
        assert await trips(still, "GET", "/referral/fhir/ServiceRequest?identifier=x|y") == 1
