"""A calendar program reads the days of a clinician or a room by a secret link, until it is revoked."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from tests.integration.scheduling.test_doors import PAT, clinic, first_of, put, refer
from tests.support.clinic import TestClinic
from tests.support.sql import sql

__all__ = ["clinic"]

LINKS = "/scheduling/calendar-links"
MAJA = "?practitioner=Practitioner/physiotherapist"


async def made(clinic: TestClinic, query: str = MAJA, *, who: str = "coordinator") -> dict[str, Any]:
    answer = await clinic.as_(who).post(f"{LINKS}{query}")
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def read(clinic: TestClinic, link: dict[str, Any]) -> Calendar:
    answer = await clinic.anonymous().get(link["address"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(answer.content)


async def links(clinic: TestClinic, who: str = "coordinator") -> list[dict[str, Any]]:
    answer = await clinic.as_(who).get(LINKS)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


class TestALink:
    async def test_shows_the_visits_of_a_clinician_and_no_patient(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        assert (await read(clinic, link)).events == []
        referral = await refer(clinic)
        visit = await first_of(clinic, referral)
        [event] = (await read(clinic, link)).events
        assert event.uid == f"{visit['id']}@{event.uid.partition('@')[2]}"
        assert (event.start, event.end) == (
            datetime.fromisoformat(visit["start"]),
            datetime.fromisoformat(visit["end"]),
        )
        assert (event["SUMMARY"], event["LOCATION"]) == ("First visit", "Assessment room 1")
        text = (await clinic.anonymous().get(link["address"])).text
        [patient] = [one for one in visit["participant"] if "Patient/" in one["actor"]["reference"]]
        for secret in (patient["actor"]["reference"].rpartition("/")[2], referral, "Patient"):
            assert secret not in text

    async def test_follows_what_is_moved_and_called_off(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        visit = await first_of(clinic, await refer(clinic))
        [before] = (await read(clinic, link)).events
        later = datetime.fromisoformat(visit["start"]) + timedelta(days=7)
        end = datetime.fromisoformat(visit["end"]) + timedelta(days=7)
        moved = await put(clinic, "coordinator", visit | {"start": later.isoformat(), "end": end.isoformat()})
        [after] = (await read(clinic, link)).events
        assert (after.uid, after.start) == (before.uid, later)
        assert after.sequence > before.sequence
        reason = {"cancelationReason": {"coding": [{"system": PAT, "code": "pat"}]}}
        await put(clinic, "coordinator", moved.json() | {"status": "cancelled", **reason})
        assert after.uid not in {event.uid for event in (await read(clinic, link)).events}

    async def test_shows_a_room_in_french_and_who_is_not_in_it_not_at_all(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        [room] = [one["actor"] for one in visit["participant"] if "Location/" in one["actor"]["reference"]]
        id = room["reference"].rpartition("/")[2]
        shown = await made(clinic, f"?location=Location/{id}&language=fr")
        [event] = (await read(clinic, shown)).events
        assert event["SUMMARY"] == "Premier rendez-vous"
        assert (await read(clinic, await made(clinic, "?location=Location/gym"))).events == []

    async def test_keeps_no_secret_in_the_database(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        secret = link["address"].rpartition("/")[2]
        async with clinic.databases["scheduling"].transaction() as tx:
            rows = (await sql(tx, "SELECT calendar_link::text AS all_of_it FROM calendar_link")).all()
        assert len(rows) == 1
        assert secret not in rows[0].all_of_it
        assert [set(row) & {"address", "mark"} for row in await links(clinic)] == [set()]

    async def test_is_read_again_for_nothing_while_nothing_changed(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        first = await clinic.anonymous().get(link["address"])
        tag = {"If-None-Match": first.headers["etag"]}
        again = await clinic.anonymous().get(link["address"], headers=tag)
        assert (again.status_code, again.content) == (304, b"")
        await first_of(clinic, await refer(clinic))
        assert (await clinic.anonymous().get(link["address"], headers=tag)).status_code == 200

    async def test_says_when_its_clinician_is_away_and_not_why(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        absence = {
            "resourceType": "Slot",
            "schedule": {"reference": "Schedule/physiotherapist"},
            "status": "busy-unavailable",
            "start": "2026-03-10T00:00:00-04:00",
            "end": "2026-03-11T00:00:00-04:00",
            "comment": "A funeral.",
        }
        answer = await clinic.as_("coordinator").post("/scheduling/fhir/Slot", json=absence)
        assert answer.status_code == 201, answer.text
        [away] = [one for one in (await read(clinic, link)).events if one["SUMMARY"] == "Away"]
        assert away.start == datetime.fromisoformat("2026-03-10T04:00:00+00:00")
        assert "funeral" not in (await clinic.anonymous().get(link["address"])).text

    async def test_shows_a_long_absence_as_one_thing_at_every_reading(self, clinic: TestClinic) -> None:
        link = await made(clinic)
        absence = {
            "resourceType": "Slot",
            "schedule": {"reference": "Schedule/physiotherapist"},
            "status": "busy-unavailable",
            "start": "2026-03-03T00:00:00-05:00",
            "end": "2026-05-01T00:00:00-04:00",
        }
        answer = await clinic.as_("coordinator").post("/scheduling/fhir/Slot", json=absence)
        assert answer.status_code == 201, answer.text
        clinic.clock.set(clinic.clock.now() + timedelta(days=40))
        first = await clinic.anonymous().get(link["address"])
        clinic.clock.set(clinic.clock.now() + timedelta(hours=1))
        again = await clinic.anonymous().get(link["address"])
        assert "SUMMARY:Away" in first.text
        assert again.text == first.text

    async def test_shows_nothing_of_who_has_left(self, clinic: TestClinic) -> None:
        link = await made(clinic, "?practitioner=physiotherapist-2")
        coordinator = clinic.as_("coordinator")
        address = "/scheduling/fhir/Practitioner/physiotherapist-2"
        stands = await coordinator.get(address)
        left = await coordinator.put(
            address, json=stands.json() | {"active": False}, headers={"If-Match": stands.headers["etag"]}
        )
        assert left.status_code == 200, left.text
        assert (await clinic.anonymous().get(link["address"])).status_code == 404


class TestRevoking:
    async def test_leaves_nothing_behind_the_address(self, clinic: TestClinic) -> None:
        link, other = await made(clinic), await made(clinic)
        answer = await clinic.as_("coordinator").post(f"{LINKS}/{link['id']}/$revoke")
        assert answer.status_code == 200, answer.text
        gone = await clinic.anonymous().get(link["address"])
        never = await clinic.anonymous().get(f"{link['address']}x")
        assert (gone.status_code, never.status_code) == (404, 404)
        assert gone.json()["issue"] == never.json()["issue"], "whether there was one is not told"
        assert [row["id"] for row in await links(clinic)] == [other["id"]]
        again = await clinic.as_("coordinator").post(f"{LINKS}/{link['id']}/$revoke")
        assert again.status_code == 404

    async def test_is_a_clinicians_for_the_own_links_alone(self, clinic: TestClinic) -> None:
        own, of_another = await made(clinic, "", who="physiotherapist"), await made(clinic, "?location=gym")
        assert own["practitioner"] == "physiotherapist"
        assert [row["id"] for row in await links(clinic, "physiotherapist")] == [own["id"]]
        refused = await clinic.as_("physiotherapist").post(f"{LINKS}/{of_another['id']}/$revoke")
        assert refused.status_code == 404
        assert len(await links(clinic)) == 2


class TestWhoAsks:
    @pytest.mark.parametrize(
        ("who", "query", "status"),
        [
            ("family-practice", MAJA, 403),
            ("workplace-insurer", MAJA, 403),
            ("physiotherapist", "?practitioner=psychologist", 404),
            ("physiotherapist", "?location=gym", 403),
            ("coordinator", "", 400),
            ("coordinator", f"{MAJA}&location=gym", 400),
            ("coordinator", "?practitioner=nobody", 404),
            ("coordinator", "?location=nowhere", 404),
            ("coordinator", f"{MAJA}&language=de", 400),
            ("coordinator", f"{MAJA}&colour=red", 400),
        ],
    )
    async def test_for_what_is_not_theirs_or_is_not_there_gets_no_link(
        self, clinic: TestClinic, who: str, query: str, status: int
    ) -> None:
        answer = await clinic.as_(who).post(f"{LINKS}{query}")
        assert answer.status_code == status, answer.text
        assert await links(clinic) == []
