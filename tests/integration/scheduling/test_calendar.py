"""`GET /scheduling/calendar`: a site's days by clinician and by room."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.clinic import Absence
from tests.integration.scheduling.test_doors import PAT, clinic, first_of, put, refer
from tests.support.clinic import TestClinic, example_clinic
from tests.support.sql import sql

__all__ = ["clinic"]

CALENDAR = "/scheduling/calendar"
WEEK = "?from=2026-03-02&to=2026-03-08"


async def calendar(clinic: TestClinic, query: str = WEEK, *, who: str = "coordinator") -> dict[str, Any]:
    answer = await clinic.as_(who).get(f"{CALENDAR}{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def of(rows: list[dict[str, Any]], id: str, day: str) -> dict[str, Any]:
    [row] = [row for row in rows if row["id"] == id]
    [found] = [one for one in row["days"] if one["date"] == day]
    shown: dict[str, Any] = found
    return shown


class TestADay:
    async def test_has_the_visit_for_its_clinician_and_its_room(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            person = {"family": "Tanabe", "given": "Yuki", "birth_date": "1980-05-17", "language": None}
            await sql(tx, "UPDATE referral SET person = :person", person=person)
        visit = await first_of(clinic, referral)
        body = await calendar(clinic)
        assert (body["from"], body["to"], body["zone"]) == ("2026-03-02", "2026-03-08", "America/Toronto")
        [seen] = of(body["people"], "physiotherapist", "2026-03-03")["appointments"]
        assert (seen["id"], seen["start"], seen["end"]) == (visit["id"], visit["start"], visit["end"])
        assert (seen["patient"]["name"], seen["referral"], seen["kind"]) == (
            "Tanabe, Yuki",
            referral,
            "first",
        )
        [again] = of(body["rooms"], seen["room"]["id"], "2026-03-03")["appointments"]
        assert again["practitioner"]["id"] == "physiotherapist"

    async def test_is_free_where_nothing_is_taken(self, clinic: TestClinic) -> None:
        [whole] = of((await calendar(clinic))["people"], "physiotherapist", "2026-03-03")["free"]
        assert (whole["start"], whole["end"]) == ("2026-03-03T13:00:00Z", "2026-03-03T21:00:00Z")
        visit = await first_of(clinic, await refer(clinic))
        body = await calendar(clinic)
        [left] = of(body["people"], "physiotherapist", "2026-03-03")["free"]
        assert left["start"] == visit["end"]
        [hours] = of(body["people"], "physiotherapist", "2026-03-03")["hours"]
        assert hours == whole, "the hours are what they were"

    async def test_is_free_again_when_a_visit_is_called_off(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        reason = {"cancelationReason": {"coding": [{"system": PAT, "code": "pat"}]}}
        await put(clinic, "coordinator", visit | {"status": "cancelled", **reason})
        day = of((await calendar(clinic))["people"], "physiotherapist", "2026-03-03")
        assert visit["id"] not in {one["id"] for one in day["appointments"]}
        assert any(one["start"] <= visit["start"] and visit["end"] <= one["end"] for one in day["free"])

    async def test_keeps_the_hour_of_the_meeting_free_of_visits(self, clinic: TestClinic) -> None:
        people = (await calendar(clinic))["people"]
        with_meeting = [day for row in people for day in row["days"] if day["meetings"]]
        assert any(day["free"] for day in with_meeting)
        for day in with_meeting:
            [meeting] = day["meetings"]
            assert all(
                one["end"] <= meeting["start"] or one["start"] >= meeting["end"] for one in day["free"]
            )

    async def test_says_who_is_away(self) -> None:
        told = example_clinic()
        away = [Absence.model_validate({"from": date(2026, 3, 3), "to": date(2026, 3, 4)})]
        people = [
            one.model_copy(update={"absences": tuple(away)}) if one.id == "psychologist" else one
            for one in told.people
        ]
        changed = told.model_copy(update={"people": tuple(people)})
        async with TestClinic(services=("scheduling",), clinic=changed) as clinic:
            body = await calendar(clinic)
        shown = [of(body["people"], "psychologist", f"2026-03-0{day}") for day in (3, 4, 5)]
        assert [len(day["absences"]) for day in shown] == [1, 1, 0]
        assert (shown[0]["free"], shown[1]["free"]) == ([], [])
        assert shown[0]["absences"] == [{"start": "2026-03-03T05:00:00Z", "end": "2026-03-04T05:00:00Z"}]

    async def test_that_is_past_is_free_no_more(self, clinic: TestClinic) -> None:
        await clinic.days(2)
        body = await calendar(clinic)
        assert of(body["people"], "physiotherapist", "2026-03-03")["free"] == []

    async def test_when_clocks_change_has_its_hours_on_the_wall(self, clinic: TestClinic) -> None:
        body = await calendar(clinic, "?from=2026-03-06&to=2026-03-09")
        hours = [
            datetime.fromisoformat(of(body["people"], "physiotherapist", day)["hours"][0]["start"]).hour
            for day in ("2026-03-06", "2026-03-09")
        ]
        assert hours[0] == hours[1] + 1


class TestWhoSeesIt:
    async def test_a_clinician_sees_their_own_days(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        mine = await calendar(clinic, who="physiotherapist")
        assert [row["id"] for row in mine["people"]] == ["physiotherapist"]
        assert of(mine["people"], "physiotherapist", "2026-03-03")["appointments"][0]["id"] == visit["id"]
        other = await calendar(clinic, who="psychologist")
        assert [row["id"] for row in other["people"]] == ["psychologist"]
        assert not any(day["appointments"] for row in other["rooms"] for day in row["days"])

    async def test_nobody_elses_is_there_for_a_clinician(self, clinic: TestClinic) -> None:
        query = f"{CALENDAR}{WEEK}&practitioner=Practitioner/physiotherapist"
        assert (await clinic.as_("psychologist").get(query)).status_code == 404
        assert (await clinic.as_("physiotherapist").get(query)).status_code == 200

    async def test_another_site_has_no_visit_of_this_one(self, clinic: TestClinic) -> None:
        await refer(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE appointment SET site = 'elsewhere'")
        body = await calendar(clinic)
        assert not any(day["appointments"] for row in body["people"] for day in row["days"])

    async def test_senders_and_insurers_do_not(self, clinic: TestClinic) -> None:
        for who in ("family-practice", "workplace-insurer", "operator"):
            assert (await clinic.as_(who).get(f"{CALENDAR}{WEEK}")).status_code == 403


class TestAsking:
    async def test_is_for_one_clinician_and_one_room(self, clinic: TestClinic) -> None:
        room = clinic.clinic.sites[0].rooms[0].id
        body = await calendar(clinic, f"{WEEK}&practitioner=psychologist&location=Location/{room}")
        assert [row["id"] for row in body["people"]] == ["psychologist"]
        assert [row["id"] for row in body["rooms"]] == [room]

    async def test_is_for_a_week_from_today_unless_said(self, clinic: TestClinic) -> None:
        body = await calendar(clinic, "")
        assert (body["from"], body["to"]) == ("2026-03-02", "2026-03-08")

    async def test_six_weeks_are_the_most(self, clinic: TestClinic) -> None:
        first = date(2026, 3, 2)
        last = first + timedelta(weeks=6) - timedelta(days=1)
        body = await calendar(clinic, f"?from={first}&to={last}")
        assert len(body["people"][0]["days"]) == 42
        answer = await clinic.as_("coordinator").get(f"{CALENDAR}?from={first}&to={last + timedelta(days=1)}")
        assert answer.status_code == 400
        assert "6 weeks" in answer.json()["issue"][0]["details"]["text"]

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("from=soon", "from"),
            ("from=2026-03-03&to=2026-03-02", "from"),
            ("to=9999-12-31", "to"),
            ("practitioner=https://other.example/fhir/Practitioner/x", "practitioner"),
            ("location=Practitioner/x", "location"),
            ("colour=red", "colour"),
            ("from=2026-03-02&from=2026-03-03", "from"),
        ],
    )
    async def test_wrongly_is_refused_with_the_place(
        self, clinic: TestClinic, query: str, place: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{CALENDAR}?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["issue"][0]["expression"] == [place]

    @pytest.mark.parametrize("query", ["practitioner=nobody", "location=nowhere"])
    async def test_for_what_is_not_there_finds_nothing(self, clinic: TestClinic, query: str) -> None:
        assert (await clinic.as_("coordinator").get(f"{CALENDAR}?{query}")).status_code == 404
