"""What was uploaded and never named is removed after a week; what is named stays."""

import asyncio

from services.referral.use_cases.forget_attachments import UNATTACHED
from tests.integration.referral.test_attachments import BINARY, kept, sent_with, upload
from tests.support.attachments import bundle_with, document
from tests.support.clinic import TestClinic


async def test_it_is_removed_with_its_pieces_after_a_week(clinic: TestClinic) -> None:
    key = await upload(clinic)
    await clinic.days(6)
    assert await kept(clinic) == (1, 1)
    await clinic.days(3)
    assert await kept(clinic) == (0, 0)
    assert (await clinic.as_("family-practice").get(f"{BINARY}/{key}")).status_code == 404


async def test_what_a_resource_names_stays(clinic: TestClinic) -> None:
    key = await upload(clinic)
    await sent_with(clinic, document("{patient}", f"Binary/{key}"))
    await clinic.days(30)
    assert (await clinic.as_("coordinator").get(f"{BINARY}/{key}")).status_code == 200


async def test_the_look_is_repeated_every_day_and_stands_once(clinic: TestClinic) -> None:
    for _ in range(3):
        await clinic.days(1)
        due = await clinic.databases["referral"].fetch("SELECT FROM timer WHERE kind = $1", UNATTACHED)
        assert len(due) == 1


async def test_one_that_is_named_while_it_is_removed_is_either_there_or_refused(clinic: TestClinic) -> None:
    key = await upload(clinic)
    await clinic.days(6)
    naming = asyncio.create_task(
        clinic.as_("family-practice").post(
            "/referral/fhir", json=bundle_with(document("{patient}", f"Binary/{key}"))
        )
    )
    await clinic.days(3)
    answer = await naming
    assert answer.status_code in (200, 422)
    there = (await clinic.as_("family-practice").get(f"{BINARY}/{key}")).status_code
    assert there == (200 if answer.status_code == 200 else 404)
