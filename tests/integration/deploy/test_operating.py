"""An operator asks the running clinic: how each service is, and what it published about a referral."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from deploy.services import SERVICES
from tests.support.clinic import TestClinic
from tests.support.eventually import eventually
from tests.support.referrals import bundle


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic() as clinic:
        await clinic.settle()
        yield clinic


async def asked(clinic: TestClinic, path: str) -> dict[str, Any]:
    answer = await clinic.as_("operator").get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def referred(clinic: TestClinic) -> str:
    answer = await clinic.as_("family-practice").post("/referral/fhir", json=bundle())
    assert answer.status_code == 200, answer.text
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    await clinic.settle()
    return next(one.split("/")[-3] for one in locations if "ServiceRequest/" in one)


async def test_each_service_says_what_it_reads_and_has_read_it(clinic: TestClinic) -> None:
    await referred(clinic)
    for worker in clinic.workers.values():
        (loop,) = [loop for loop in worker.loops if loop.name == "progress"]
        loop.wake.set()

    async def all_read() -> bool:
        lags = [(await asked(clinic, f"/{service}/health"))["lag"] for service in SERVICES]
        return all(lag and not any(one["events"] for one in lag) for lag in lags)

    await eventually(all_read)
    for service in SERVICES:
        found = await asked(clinic, f"/{service}/health")
        assert [one["topic"] for one in found["lag"]] == sorted(clinic.workers[service].topics)
        assert (found["database"], found["relay"]["waiting"]) == ("up", 0)


async def test_notifications_counts_its_messages_by_where_they_stand(clinic: TestClinic) -> None:
    before = (await asked(clinic, "/notifications/health"))["deliveries"]
    assert before == dict.fromkeys(("preparation", "in-progress", "completed", "not-done", "stopped"), 0)
    await referred(clinic)
    async with clinic.databases["notifications"].transaction() as tx:
        told = await tx.value("SELECT count(*) FROM notification")
    after = (await asked(clinic, "/notifications/health"))["deliveries"]
    assert sum(after.values()) == told > 0
    assert "deliveries" not in await asked(clinic, "/referral/health")


async def test_a_referrals_way_is_followed_from_service_to_service_without_a_name(clinic: TestClinic) -> None:
    referral = await referred(clinic)
    found = {service: await asked(clinic, f"/{service}/trace?referral={referral}") for service in SERVICES}
    events = {service: of["events"] for service, of in found.items()}
    assert [event["type"] for event in events["referral"]][:2] == ["referral.received", "referral.triaged"]
    booked = next(event for event in events["scheduling"] if event["type"] == "appointment.booked")
    accepted = next(event for event in events["referral"] if event["type"] == "referral.accepted")
    assert booked["causation"] == accepted["id"]
    assert "Abernathy" not in str(found)
    elsewhere = await asked(clinic, "/referral/trace?referral=0191d4b2-7a70-7000-8000-00000000000d")
    assert elsewhere == {"kept": True, "events": []}
