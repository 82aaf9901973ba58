"""`GET /scheduling/guarantee` and its summary: guarantees, why they are in danger, what would help."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.integration.scheduling.test_doors import APPOINTMENT, clinic, first_of, put, refer
from tests.support.clinic import TestClinic
from tests.support.sql import sql

__all__ = ["clinic"]

BOARD = "/scheduling/guarantee"


async def board(clinic: TestClinic, query: str = "") -> dict[str, Any]:
    answer = await clinic.as_("coordinator").get(f"{BOARD}{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def until_full(clinic: TestClinic) -> tuple[list[str], str]:
    """Refer to a programme with few hours until somebody has to wait: the ones with a time, and that one."""
    booked: list[str] = []
    while len(booked) < 100:
        referral = await refer(clinic, programme="chronic-pain")
        if (await first_of(clinic, referral))["status"] == "waitlist":
            return booked, referral
        booked.append(referral)
    raise AssertionError("the programme never filled up")


async def row_of(clinic: TestClinic, referral: str) -> dict[str, Any]:
    rows = (await board(clinic, "?_count=200"))["rows"]
    [found] = [row for row in rows if row["referral"] == referral]
    row: dict[str, Any] = found
    return row


class TestARow:
    async def test_names_the_patient_and_counts_the_days(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            person = {"family": "Tanabe", "given": "Yuki", "birth_date": "1980-05-17", "language": None}
            await sql(tx, "UPDATE referral SET person = :person", person=person)
        await clinic.days(0.5)
        row = await row_of(clinic, referral)
        assert (row["patient"]["name"], row["patient"]["birth_date"]) == ("Tanabe, Yuki", "1980-05-17")
        assert (row["waited_days"], row["days_left"]) == (0, 28)
        assert (row["reason"], row["remedies"]) == (None, [])

    async def test_of_somebody_who_waits_says_why_and_what_is_free_later(self, clinic: TestClinic) -> None:
        _, waiting = await until_full(clinic)
        row = await row_of(clinic, waiting)
        assert row["status"] == "at-risk"
        assert row["reason"]["coding"][0]["code"] == "nothing-free-in-time"
        [remedy] = row["remedies"]
        place = await first_of(clinic, waiting)
        assert (remedy["action"], remedy["method"]) == ("book", "PUT")
        assert remedy["url"].endswith(f"{APPOINTMENT}/{place['id']}")
        assert remedy["text"]["coding"][0]["code"] == "free-later"
        assert datetime.fromisoformat(remedy["time"]).date().isoformat() > row["due_on"]

    async def test_offers_a_time_that_can_be_booked(self, clinic: TestClinic) -> None:
        _, waiting = await until_full(clinic)
        [remedy] = (await row_of(clinic, waiting))["remedies"]
        place = await first_of(clinic, waiting)
        end = datetime.fromisoformat(remedy["time"]) + timedelta(minutes=place["minutesDuration"])
        time = {"start": remedy["time"], "end": end.isoformat()}
        booked = await put(clinic, "coordinator", place | {"status": "booked", **time})
        assert booked.status_code == 200, booked.text
        row = await row_of(clinic, waiting)
        assert row["reason"]["coding"][0]["code"] == "booked-late"

    async def test_offers_two_who_wait_two_times(self, clinic: TestClinic) -> None:
        _, waiting = await until_full(clinic)
        other = await refer(clinic, programme="chronic-pain")
        times = [(await row_of(clinic, one))["remedies"][0]["time"] for one in (waiting, other)]
        assert len(set(times)) == 2

    async def test_shows_no_remedy_once_the_referral_ended(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE referral SET state = 'ended'")
            await sql(tx, "UPDATE guarantee SET status = 'breached'")
        assert (await row_of(clinic, referral))["remedies"] == []


class TestAPage:
    async def test_goes_through_all_guarantees_in_the_order_of_their_ends(self, clinic: TestClinic) -> None:
        referrals = []
        for _ in range(3):
            referrals.append(await refer(clinic))
            await clinic.days(1)
        for sort, wanted in (("due", referrals), ("-due", referrals[::-1])):
            found, after = list[str](), ""
            while after is not None:
                page = await board(clinic, f"?_count=2&_sort={sort}" + (f"&_after={after}" if after else ""))
                assert page["total"] == 3
                found += [row["referral"] for row in page["rows"]]
                after = page["next"]
            assert found == wanted

    async def test_takes_open_for_those_on_track(self, clinic: TestClinic) -> None:
        booked, waiting = await until_full(clinic)
        assert {row["referral"] for row in (await board(clinic, "?status=open"))["rows"]} == {*booked}
        at_risk = await board(clinic, "?status=at-risk,breached")
        assert [row["referral"] for row in at_risk["rows"]] == [waiting]

    async def test_is_narrowed_by_programme_and_by_the_last_day(self, clinic: TestClinic) -> None:
        sooner = await refer(clinic)
        await clinic.days(1)
        later = await refer(clinic, programme="chronic-pain")
        due = (await row_of(clinic, sooner))["due_on"]
        for query, wanted in (
            (f"due={due}", [sooner]),
            (f"due=le{due}", [sooner]),
            (f"due=lt{due}", []),
            (f"due=gt{due}", [later]),
            (f"due=ge{due}", [sooner, later]),
            (f"due=ge{due}&programme=chronic-pain", [later]),
        ):
            assert [row["referral"] for row in (await board(clinic, f"?{query}"))["rows"]] == wanted, query

    async def test_is_narrowed_by_priority_and_says_it_with_both_promises(self, clinic: TestClinic) -> None:
        routine = await refer(clinic)
        soon = await refer(clinic, priority="asap", due_on=date(2026, 3, 7))
        for query, wanted in (
            ("priority=asap", [soon]),
            ("priority=routine", [routine]),
            ("priority=stat,urgent", []),
            ("priority=asap,routine&_count=1", [soon]),
            ("priority=asap&status=open&programme=rapid-access", [soon]),
        ):
            assert [row["referral"] for row in (await board(clinic, f"?{query}"))["rows"]] == wanted, query
        row = await row_of(clinic, soon)
        assert (row["priority"], row["due_on"]) == ("asap", "2026-03-07")
        assert row["second_due_at"] == "2026-04-28T04:00:00Z"
        for query, counted in (("priority=asap", 1), ("priority=asap,routine", 2), ("priority=stat", 0)):
            summary = await clinic.as_("coordinator").get(f"{BOARD}/summary?{query}")
            assert summary.json()["open"] == counted, query

    async def test_of_another_site_has_no_row_of_this_one(self, clinic: TestClinic) -> None:
        await refer(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE guarantee SET site = 'elsewhere'")
        assert await board(clinic) == {"total": 0, "next": None, "rows": []}

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("status=odd", "status"),
            ("programme=odd", "programme"),
            ("priority=soon", "priority"),
            ("priority=asap,", "priority"),
            ("priority=asap&priority=stat", "priority"),
            ("due=soon", "due"),
            ("due=le9999-12-31", "due"),
            ("due=xx2026-03-01", "due"),
            ("_sort=name", "_sort"),
            ("_count=many", "_count"),
            ("_after=nonsense", "_after"),
            ("_after=W1sidiIsIDFdXQ==", "_after"),
            ("colour=red", "colour"),
            ("status=met&status=open", "status"),
        ],
    )
    async def test_that_is_asked_for_wrongly_is_refused_with_the_place(
        self, clinic: TestClinic, query: str, place: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{BOARD}?{query}")
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["issue"][0]["expression"] == [place]


class TestTheSummary:
    async def test_counts_by_status_and_says_how_long_people_waited(self, clinic: TestClinic) -> None:
        referral = await refer(clinic)
        await refer(clinic)
        before = (await clinic.as_("coordinator").get(f"{BOARD}/summary")).json()
        assert (before["open"], before["met"], before["median_days"], before["p90_days"]) == (
            2,
            0,
            None,
            None,
        )
        assert before["free_hours"] > 0
        await clinic.days(2)
        await put(clinic, "coordinator", await first_of(clinic, referral) | {"status": "fulfilled"})
        after = (await clinic.as_("coordinator").get(f"{BOARD}/summary")).json()
        assert (after["open"], after["met"], after["median_days"], after["p90_days"]) == (1, 1, 1, 1)

    async def test_counts_what_ends_in_a_period(self, clinic: TestClinic) -> None:
        due = (await row_of(clinic, await refer(clinic)))["due_on"]
        for period, wanted in ((f"from={due}&to={due}", 1), ("from=2026-01-01&to=2026-03-29", 0)):
            answer = await clinic.as_("coordinator").get(f"{BOARD}/summary?{period}")
            assert answer.json()["open"] == wanted

    async def test_is_the_coordinators(self, clinic: TestClinic) -> None:
        assert (await clinic.as_("physiotherapist").get(f"{BOARD}/summary")).status_code == 403
        for query in (
            "from=soon",
            "from=2026-03-02&to=2026-03-01",
            "colour=red",
            "priority=soon",
            "to=2026-03-02&to=2026-03-03",
        ):
            answer = await clinic.as_("coordinator").get(f"{BOARD}/summary?{query}")
            assert answer.status_code == 400
