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


class TestAReferralTakes:
    """Begin and commit, locks, one look at what is known, and a statement for each table."""

    async def test_no_more_than_fourteen_for_a_new_patient(self, still: TestClinic) -> None:
        assert await trips(still, "POST", "/referral/fhir", json=bundle()) <= 14

    async def test_no_more_than_three_for_its_key(self, still: TestClinic) -> None:
        key = {"Idempotency-Key": "one"}
        assert await trips(still, "POST", "/referral/fhir", json=bundle(), headers=key) <= 17

    async def test_no_more_than_two_for_a_claim_to_the_insurer(self, still: TestClinic) -> None:
        assert await trips(still, "POST", "/referral/fhir", json=bundle(payer="workplace-insurer")) <= 16


class TestAReadTakes:
    async def test_one_look_and_one_audit_in_a_transaction(self, still: TestClinic) -> None:
        referral = located(await send(still, bundle()))
        for path in (
            f"ServiceRequest/{referral}",
            f"Task?focus=ServiceRequest/{referral}",
            "ServiceRequest?identifier=x|y",
        ):
            assert await trips(still, "GET", f"/referral/fhir/{path}") <= 4
