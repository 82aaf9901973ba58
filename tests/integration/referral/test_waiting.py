"""No referral waits for ever: who is waited for too long, the coordinator hears of, and again."""

from datetime import timedelta

import pytest

from tests.integration.referral.doors import located, operate, send, told, work_of
from tests.support import referrals
from tests.support.clinic import TestClinic

WAITS = [
    ({"answers": {"night-pain": None}}, timedelta(days=14)),
    ({"answers": {"night-pain": "UNK"}}, timedelta(hours=24)),
]


@pytest.mark.parametrize(("bundle", "limit"), WAITS, ids=["for its sender", "for a decision"])
async def test_what_waits_too_long_is_told_again_and_again_until_it_goes_on(
    clinic: TestClinic, bundle: dict[str, object], limit: timedelta
) -> None:
    referral = located(await send(clinic, referrals.bundle(**bundle)))
    start = clinic.clock.now()
    await clinic.at(start + limit - timedelta(minutes=1))
    assert "referral.overdue" not in await told(clinic)
    await clinic.at(start + 2 * limit + timedelta(minutes=1))
    assert (await told(clinic)).count("referral.overdue") == 2
    [work] = await work_of(clinic, "coordinator", "code=overdue-referral&status=requested")
    assert "waits too long" in work["statusReason"]["text"]
    answer = await operate(clinic, "coordinator", referral, "decline", reason="no answer")
    assert answer.status_code == 200, answer.text
    assert await work_of(clinic, "coordinator", "code=overdue-referral&status=requested") == []
    await clinic.at(start + 4 * limit)
    assert (await told(clinic)).count("referral.overdue") == 2


async def test_a_suspected_duplicate_is_told_too_and_one_that_is_under_care_is_not(
    clinic: TestClinic,
) -> None:
    for _ in range(2):
        await send(clinic, referrals.bundle(health_card="17"))
    await clinic.days(1.5)
    [event] = await clinic.events("referral.overdue")
    assert b"duplicate-suspected" in event.value
