"""Overbooking by HTTP: a second visit beside one of the clinician, for who has the right and says why."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.scheduling.test_booking_by_http import APPOINTMENT, call, find, of, sent, visits
from tests.integration.scheduling.test_doors import refer
from tests.support.clinic import TestClinic, example_clinic

OVERBOOK = {"name": "overbook", "valueBoolean": True}
WHY = {"name": "reason", "valueString": "She cannot wait."}


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    """Run a clinic whose coordinator may overbook; its physiotherapist may not."""
    told = example_clinic()
    clients = tuple(
        one.model_copy(update={"overbooks": True}) if one.id == "coordinator" else one for one in told.clients
    )
    changed = told.model_copy(update={"clients": clients})
    async with TestClinic(services=("scheduling",), clinic=changed) as running:
        yield running


async def with_maja(
    clinic: TestClinic, referral: str, visit: str, *, who: str = "physiotherapist"
) -> dict[str, Any]:
    """Propose the earliest Tuesday time of a visit with one of the two physiotherapists."""
    asked = {"visit_type": visit, "referral": of(referral), "_count": 100}
    found = (await find(clinic, practitioner={"reference": f"Practitioner/{who}"}, **asked)).json()
    each: list[dict[str, Any]] = [entry["resource"] for entry in found["entry"]]
    return next(one for one in each if datetime.fromisoformat(one["start"]).weekday() == 1)


async def taken(clinic: TestClinic, visit: str = "telephone-review") -> dict[str, Any]:
    """Book a visit, and give what was proposed for it."""
    proposal = await with_maja(clinic, await refer(clinic), visit)
    booked = await call(clinic, "$book", sent(proposal))
    assert booked.status_code == 200, booked.text
    return proposal


def for_referral(proposal: dict[str, Any], referral: str) -> dict[str, Any]:
    return proposal | {"basedOn": [of(referral)]}


async def text_of(answer: Any) -> str:
    [issue] = answer.json()["issue"]
    return str(issue["details"]["text"])


class TestWhoHasTheRight:
    async def test_books_beside_another_visit_and_everybody_reads_why(self, clinic: TestClinic) -> None:
        proposal = await taken(clinic)
        beside = for_referral(proposal, await refer(clinic))
        plain = await call(clinic, "$book", sent(beside))
        assert plain.status_code == 409
        answer = await call(clinic, "$book", sent(beside), OVERBOOK, WHY)
        assert answer.status_code == 200, answer.text
        visit = answer.json()
        assert (visit["status"], visit["start"]) == ("booked", proposal["start"])
        [because] = [one for one in visit["extension"] if one["url"].endswith("/overbooked-because")]
        assert because["valueString"] == "She cannot wait."
        read = await clinic.as_("physiotherapist").get(f"{APPOINTMENT}/{visit['id']}")
        assert "She cannot wait." in read.text

    async def test_goes_one_deep(self, clinic: TestClinic) -> None:
        proposal = await taken(clinic)
        second, third = [for_referral(proposal, await refer(clinic)) for _ in range(2)]
        assert (await call(clinic, "$book", sent(second), OVERBOOK, WHY)).status_code == 200
        refused = await call(clinic, "$book", sent(third), OVERBOOK, WHY)
        assert refused.status_code == 409
        assert "Maja Lindqvist has another appointment until" in await text_of(refused)
        assert len(await visits(clinic, "telehealth")) == 2

    async def test_says_why(self, clinic: TestClinic) -> None:
        beside = for_referral(await taken(clinic), await refer(clinic))
        for silent in ([OVERBOOK], [OVERBOOK, {"name": "reason", "valueString": "  "}]):
            refused = await call(clinic, "$book", sent(beside), *silent)
            assert refused.status_code == 422
        [issue] = refused.json()["issue"]
        assert issue["expression"] == ["Parameters.parameter.where(name='reason')"]
        assert len(await visits(clinic, "telehealth")) == 1

    async def test_holds_beside_another_visit_too(self, clinic: TestClinic) -> None:
        beside = for_referral(await taken(clinic), await refer(clinic))
        held = await call(clinic, "$hold", sent(beside), OVERBOOK, WHY)
        assert (held.status_code, held.json()["status"]) == (200, "pending"), held.text
        reference = {"reference": f"Appointment/{held.json()['id']}"}
        booked = await call(clinic, "$book", {"name": "appointment-reference", "valueReference": reference})
        assert (booked.status_code, booked.json()["status"]) == (200, "booked"), booked.text

    async def test_keeps_the_patient_to_one_visit_at_a_time(self, clinic: TestClinic) -> None:
        proposal = await taken(clinic)
        refused = await call(clinic, "$book", sent(proposal), OVERBOOK, WHY)
        assert refused.status_code == 409
        assert "The patient has another appointment until" in await text_of(refused)

    async def test_keeps_a_room_to_one_visit_at_a_time(self, clinic: TestClinic) -> None:
        luc = await with_maja(clinic, await refer(clinic), "review", who="physiotherapist-2")
        rooms = [one for one in luc["participant"] if "Location/" in one["actor"]["reference"]]
        mine = await with_maja(clinic, await refer(clinic), "review")
        same = {"start": luc["start"], "end": luc["end"]}
        assert (await call(clinic, "$book", sent(mine | same))).status_code == 200
        beside = [one for one in luc["participant"] if one not in rooms]
        assert (await call(clinic, "$book", sent(luc | {"participant": beside}))).status_code == 200
        refused = await call(
            clinic, "$book", sent(for_referral(mine | same, await refer(clinic))), OVERBOOK, WHY
        )
        assert refused.status_code == 409
        assert "and every other such room is taken until" in await text_of(refused)
        assert len(await visits(clinic)) == 2

    async def test_does_not_use_it_where_the_clinician_is_free(self, clinic: TestClinic) -> None:
        proposal = await with_maja(clinic, await refer(clinic), "telephone-review")
        booked = await call(clinic, "$book", sent(proposal), OVERBOOK, WHY)
        assert "overbooked-because" not in booked.text
        beside = for_referral(proposal, await refer(clinic))
        assert (await call(clinic, "$book", sent(beside), OVERBOOK, WHY)).status_code == 200

    async def test_asks_for_a_free_clinician_when_it_is_moved(self, clinic: TestClinic) -> None:
        proposal = await taken(clinic)
        beside = for_referral(proposal, await refer(clinic))
        visit = (await call(clinic, "$book", sent(beside), OVERBOOK, WHY)).json()
        later = for_referral(await with_maja(clinic, await refer(clinic), "telephone-review"), "x")
        moved = await call(clinic, "$book", sent(visit | {"start": later["start"], "end": later["end"]}))
        assert moved.status_code == 200, moved.text
        assert "overbooked-because" not in moved.text


class TestWhoHasItNot:
    @pytest.mark.parametrize("verb", ["$book", "$hold"])
    async def test_is_refused_by_name_of_the_right_and_nothing_is_written(
        self, clinic: TestClinic, verb: str
    ) -> None:
        proposal = await taken(clinic)
        referral = await refer(clinic)
        before = await visits(clinic, "telehealth")
        refused = await call(
            clinic, verb, sent(for_referral(proposal, referral)), OVERBOOK, WHY, who="physiotherapist"
        )
        assert refused.status_code == 403, refused.text
        assert "Overbooking is a right" in refused.text
        assert await visits(clinic, "telehealth") == before

    async def test_a_clinic_that_names_nobody_has_nobody(self) -> None:
        async with TestClinic(services=("scheduling",)) as plain:
            proposal = await taken(plain)
            refused = await call(
                plain, "$book", sent(for_referral(proposal, await refer(plain))), OVERBOOK, WHY
            )
            assert refused.status_code == 403
            assert len(await visits(plain, "telehealth")) == 1
