"""Receiving a referral through the doors of the API."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from tests.support import referrals
from tests.support.clinic import TestClinic


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("referral",)) as running:
        yield running


async def send(clinic: TestClinic, body: dict[str, Any], *, as_: str = "family-practice") -> httpx.Response:
    return await clinic.as_(as_).post("/referral/fhir", json=body)


def located(answer: httpx.Response, resource_type: str = "ServiceRequest") -> str:
    assert answer.status_code == 200, answer.text
    for entry in answer.json()["entry"]:
        kind, key, *_ = entry["response"]["location"].split("/")
        if kind == resource_type:
            return str(key)
    raise AssertionError(f"no {resource_type} in {answer.text}")


async def task_of(clinic: TestClinic, referral: str, *, as_: str = "family-practice") -> dict[str, Any]:
    answer = await clinic.as_(as_).get(
        f"/referral/fhir/Task?focus=ServiceRequest/{referral}&code=process-request"
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["entry"][0]["resource"])


async def told(clinic: TestClinic) -> list[str]:
    await clinic.settle()
    return [event.type for event in await clinic.events()]


async def test_a_complete_referral_is_accepted_and_its_task_says_so(clinic: TestClinic) -> None:
    sent = referrals.bundle()
    answer = await send(clinic, sent)
    referral = located(answer)
    assert [entry["response"]["status"] for entry in answer.json()["entry"]] == ["201 Created"] * 4
    task = await task_of(clinic, referral)
    assert task["status"] == "accepted"
    assert task["businessStatus"]["coding"][0]["code"] == "accepted"
    assert "Rapid access" in task["statusReason"]["text"]
    assert await told(clinic) == ["referral.received", "referral.triaged", "referral.accepted"]
    for entry in answer.json()["entry"]:
        location = entry["response"]["location"].partition("/_history")[0]
        read = await clinic.as_("family-practice").get(f"/referral/fhir/{location}")
        assert read.status_code == 200, read.text
