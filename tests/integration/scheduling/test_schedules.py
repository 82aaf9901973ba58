"""A Schedule says whether and when new visits are booked with somebody; what is booked stays."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.scheduling.test_booking_by_http import call, find, of, sent
from tests.integration.scheduling.test_calendar import calendar
from tests.integration.scheduling.test_calendar import of as day_of
from tests.integration.scheduling.test_doors import first_of, put, refer
from tests.support.clinic import TestClinic

SCHEDULE = "/scheduling/fhir/Schedule"
LUC = "physiotherapist-2"


@pytest_asyncio.fixture
async def clinic() -> AsyncIterator[TestClinic]:
    async with TestClinic(services=("scheduling",)) as running:
        await running.settle()
        yield running


async def read(clinic: TestClinic, whose: str = LUC, who: str = "coordinator") -> Any:
    return await clinic.as_(who).get(f"{SCHEDULE}/{whose}")


async def change(
    clinic: TestClinic, whose: str = LUC, *, who: str = "coordinator", match: str | None = None, **said: Any
) -> Any:
    stands = await read(clinic, whose)
    body = {name: value for name, value in (stands.json() | said).items() if value is not None}
    headers = {"If-Match": match or stands.headers.get("ETag", 'W/"1"')}
    return await clinic.as_(who).put(f"{SCHEDULE}/{whose}", json=body, headers=headers)


async def found(clinic: TestClinic, referral: str, visit: str = "review") -> list[dict[str, Any]]:
    answer = await find(clinic, visit_type=visit, referral=of(referral), _count=100)
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def with_luc(times: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in times if f"Practitioner/{LUC}" in str(one["participant"])]


class TestASchedule:
    async def test_is_active_for_ever_until_somebody_says_otherwise(self, clinic: TestClinic) -> None:
        answer = await read(clinic)
        assert (answer.json()["active"], "planningHorizon" in answer.json()) == (True, False)
        assert answer.headers["ETag"] == f'W/"{answer.json()["meta"]["versionId"]}"'

    async def test_that_is_not_active_offers_and_books_nothing_new(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        [before, *_] = with_luc(await found(clinic, referral))
        answer = await change(clinic, active=False)
        assert (answer.status_code, answer.json()["active"]) == (200, False), answer.text
        assert with_luc(await found(clinic, referral)) == []
        refused = await call(clinic, "$book", sent(before))
        assert refused.status_code == 409
        assert "Luc Tremblay takes no new visits at this time." in refused.text
        days = next(row for row in (await calendar(clinic))["people"] if row["id"] == LUC)["days"]
        assert any(day["hours"] for day in days)
        assert not any(day["free"] for day in days)
        slots = await clinic.as_("coordinator").get(f"/scheduling/fhir/Slot?schedule=Schedule/{LUC}")
        assert "entry" not in slots.json()

    async def test_that_is_closed_leaves_what_is_booked_as_it_is(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        booked = (await call(clinic, "$book", sent(with_luc(await found(clinic, referral))[0]))).json()
        preview = await clinic.as_("coordinator").post(
            f"{SCHEDULE}/$preview", json=(await read(clinic)).json() | {"active": False}
        )
        assert preview.status_code == 200, preview.text
        numbers = {one["name"]: one.get("valueInteger") for one in preview.json()["parameter"]}
        assert (numbers["asked"], numbers["reassigned"]) == (0, 0)
        await change(clinic, active=False)
        await clinic.settle()
        stands = await clinic.as_("coordinator").get(f"/scheduling/fhir/Appointment/{booked['id']}")
        assert stands.json() == booked
        later = datetime.fromisoformat(booked["start"])
        await clinic.at(later)
        arrived = await put(clinic, "coordinator", booked | {"status": "arrived"})
        assert arrived.status_code == 200, arrived.text

    async def test_is_open_again_at_once(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        await change(clinic, active=False)
        await change(clinic, active=True)
        assert with_luc(await found(clinic, referral))

    async def test_offers_from_a_day_until_a_day(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        horizon = {"start": "2026-03-17", "end": "2026-03-17"}
        answer = await change(clinic, planningHorizon=horizon)
        assert answer.json()["planningHorizon"] == horizon
        days = {one["start"][:10] for one in with_luc(await found(clinic, referral))}
        assert days == {"2026-03-17"}

    async def test_keeps_first_visits_away_too(self, clinic: TestClinic) -> None:
        await change(clinic, "physiotherapist", planningHorizon={"start": "2026-03-12"})
        visit = await first_of(clinic, await refer(clinic))
        assert f"Practitioner/{LUC}" in str(visit["participant"])

    async def test_is_changed_in_versions_that_are_audited_and_heard(self, clinic: TestClinic) -> None:
        first = (await read(clinic)).headers["ETag"]
        second = (await change(clinic, active=False)).headers["ETag"]
        assert second > first
        assert (await read(clinic)).headers["ETag"] == second
        same = await change(clinic, active=False)
        assert same.headers["ETag"] == second
        role = await clinic.as_("coordinator").get(f"/scheduling/fhir/PractitionerRole/{LUC}")
        assert role.headers["ETag"] == second
        [rostered] = (await clinic.events("roster.changed"))[-1:]
        assert '"offered":{"active":false}' in str(rostered.focus["extension"]).replace('\\"', '"')
        async with clinic.databases["scheduling"].transaction() as tx:
            what = await tx.value(
                "SELECT what FROM audit_event WHERE action = 'update' ORDER BY recorded DESC, id DESC LIMIT 1"
            )
        assert str(what).startswith(f"PractitionerRole/{LUC}/_history/")

    async def test_keeps_what_it_says_when_hours_change(self, clinic: TestClinic) -> None:
        await change(clinic, active=False)
        address = f"/scheduling/fhir/PractitionerRole/{LUC}"
        role = await clinic.as_("coordinator").get(address)
        hours = [one | {"availableEndTime": "17:00:00"} for one in role.json()["availableTime"]]
        changed = await clinic.as_("coordinator").put(
            address, json=role.json() | {"availableTime": hours}, headers={"If-Match": role.headers["ETag"]}
        )
        assert changed.status_code == 200, changed.text
        assert (await read(clinic)).json()["active"] is False


class TestRefused:
    @pytest.mark.parametrize(
        ("said", "place", "words"),
        [
            ({"planningHorizon": {"start": "2026-04-02", "end": "2026-04-01"}}, "planningHorizon", "per-1"),
            ({"planningHorizon": {"end": "2026-03-01"}}, "end", "these days are over"),
            ({"planningHorizon": {"start": "2026-04-02T08:00:00Z"}}, "start", "whole days of the site"),
            ({"specialty": None}, "Schedule.specialty", "PUT PractitionerRole/physiotherapist-2"),
            ({"comment": "On leave"}, "Schedule.comment", "active and planningHorizon can"),
        ],
    )
    async def test_is_what_makes_no_sense(
        self, clinic: TestClinic, said: dict[str, Any], place: str, words: str
    ) -> None:
        before = (await read(clinic)).json()
        answer = await change(clinic, **said)
        assert answer.status_code == 422, answer.text
        [issue] = answer.json()["issue"]
        assert issue["expression"][0].endswith(place)
        assert words in issue["details"]["text"]
        assert (await read(clinic)).json() == before

    async def test_is_the_last_one_of_a_discipline_who_takes_first_visits(self, clinic: TestClinic) -> None:
        answer = await change(clinic, "physiatrist", active=False)
        assert answer.status_code == 409
        assert "would have hours for first visits" in answer.text
        assert (await read(clinic, "physiatrist")).json()["active"] is True

    async def test_is_the_schedule_of_a_site(self, clinic: TestClinic) -> None:
        answer = await change(clinic, "toronto", active=False)
        assert answer.status_code == 422
        assert "closed by a Slot that is busy-unavailable" in answer.text

    async def test_is_another_version_and_none(self, clinic: TestClinic) -> None:
        assert (await change(clinic, active=False, match='W/"77"')).status_code == 412
        silent = await clinic.as_("coordinator").put(f"{SCHEDULE}/{LUC}", json=(await read(clinic)).json())
        assert (silent.status_code, "If-Match" in silent.text) == (422, True)

    async def test_is_nobody(self, clinic: TestClinic) -> None:
        body = (await read(clinic)).json() | {"id": "nobody"}
        headers = {"If-Match": 'W/"1"'}
        answer = await clinic.as_("coordinator").put(f"{SCHEDULE}/nobody", json=body, headers=headers)
        assert answer.status_code == 404

    @pytest.mark.parametrize("who", ["physiotherapist", "family-practice", "workplace-insurer"])
    async def test_is_everybody_but_the_coordinator(self, clinic: TestClinic, who: str) -> None:
        assert (await change(clinic, who=who, active=False)).status_code == 403
        assert (await read(clinic)).json()["active"] is True


class TestTheDay:
    async def test_of_a_calendar_keeps_its_visits(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        whose = next(
            one["actor"]["reference"].rpartition("/")[2]
            for one in visit["participant"]
            if "Practitioner/" in one["actor"]["reference"]
        )
        await change(clinic, whose, active=False)
        day = day_of((await calendar(clinic))["people"], whose, visit["start"][:10])
        assert [one["id"] for one in day["appointments"]] == [visit["id"]]
        assert day["free"] == []
