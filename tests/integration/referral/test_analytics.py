"""How long people waited, and how complete referrals came: counted right, and never of a few."""

import csv
import io
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.integration.referral.doors import located, operate, send
from tests.integration.referral.test_following_care import accepted
from tests.support import referrals
from tests.support.clinic import TestClinic
from tests.support.sql import sql

WAITS, COMPLETENESS = "/referral/analytics/waits", "/referral/analytics/completeness"
# The day on which the clinic of the tests begins, as its sites' walls show it.
SENT = datetime(2026, 3, 2, 13, tzinfo=UTC)


_AWAY = """
UPDATE referral SET unavailable =
  '[["2026-03-05", "2026-03-08"], ["2026-03-07", "2026-03-10"], ["2026-03-20", "2026-06-01"]]'
WHERE id = :id
"""
_KEPT = "SELECT missing_at_first, first_seen_at, care_began_at, complete_at FROM referral WHERE id = :id"
_FORGET = "UPDATE referral SET missing_at_first = NULL, first_seen_at = NULL, care_began_at = NULL"


def migration() -> ModuleType:
    """Give the migration that reads old waits from the Tasks."""
    return import_module("services.referral.migrations.versions.0013_what_waits_are_counted_by")


async def kept(clinic: TestClinic, referral: str) -> Any:
    async with clinic.databases["referral"].transaction() as tx:
        (row,) = await sql(tx, _KEPT, id=referral)
        return row


async def figures(clinic: TestClinic, address: str, *, as_: str = "coordinator") -> list[dict[str, Any]]:
    answer = await clinic.as_(as_).get(address)
    assert answer.status_code == 200, answer.text
    (name,) = [name for name in answer.json() if name not in ("period", "smallest_group")]
    return list(answer.json()[name])


async def waited(
    clinic: TestClinic,
    days: int,
    *,
    until_plan: int | None = None,
    priority: str = "routine",
    **changes: Any,
) -> str:
    """Send a referral whose first visit took place so many days later."""
    sent = referrals.bundle(**changes)
    referrals.resource(sent, "ServiceRequest")["priority"] = priority
    referral = located(await send(clinic, sent))
    seen = SENT + timedelta(days=days)
    began = None if until_plan is None else SENT + timedelta(days=until_plan)
    async with clinic.databases["referral"].transaction() as tx:
        statement = "UPDATE referral SET first_seen_at = :seen, care_began_at = :began WHERE id = :id"
        await sql(tx, statement, seen=seen, began=began, id=referral)
    return referral


def of(rows: list[dict[str, Any]], wait: str) -> dict[str, Any]:
    (row,) = [row for row in rows if row["wait"] == wait and row["programme"] == "rapid-access"]
    return row


class TestWaits:
    async def test_are_the_median_and_the_ninetieth_in_local_days(self, clinic: TestClinic) -> None:
        for days in (1, 2, 3, 4, 5, 40):
            await waited(clinic, days, until_plan=days + 7)
        rows = await figures(clinic, WAITS)
        assert (of(rows, "wait-1a")["median_days"], of(rows, "wait-1a")["p90_days"]) == (3, 40)
        assert (of(rows, "wait-1b")["median_days"], of(rows, "wait-1b")["p90_days"]) == (7, 7)
        assert of(rows, "wait-1")["median_days"] == 10
        assert of(rows, "wait-1a")["people"] == 6

    async def test_adjusted_leave_out_the_days_on_which_the_patient_could_not_come_once(
        self, clinic: TestClinic
    ) -> None:
        for _ in range(6):
            referral = await waited(clinic, 20)
            async with clinic.databases["referral"].transaction() as tx:
                await sql(tx, _AWAY, id=referral)
        row = of(await figures(clinic, WAITS), "wait-1a")
        # 5 to 10 March are six days, 20 and 21 March two more before the visit on the 22nd.
        assert (row["median_days"], row["adjusted_median_days"]) == (20, 12)

    @pytest.mark.parametrize(("people", "shown"), [(5, False), (6, True)])
    async def test_of_fewer_than_six_are_not_shown(
        self, clinic: TestClinic, people: int, shown: bool
    ) -> None:
        for _ in range(people):
            await waited(clinic, 9)
        row = of(await figures(clinic, WAITS), "wait-1a")
        assert row["suppressed"] is not shown
        assert row["people"] == (people if shown else None)
        assert row["median_days"] == (9 if shown else None)

    async def test_a_part_is_not_shown_where_the_rest_would_be_of_a_few(self, clinic: TestClinic) -> None:
        for days in (1, 2, 3, 4, 5, 6, 40):
            await waited(clinic, days)
        assert of(await figures(clinic, WAITS), "wait-1a")["within_promise"] is None

    async def test_within_the_promise_are_those_seen_by_the_day_of_their_own_priority(
        self, clinic: TestClinic
    ) -> None:
        for _ in range(8):
            await waited(clinic, 20)
        for _ in range(8):
            await waited(clinic, 20, priority="urgent")
        assert of(await figures(clinic, WAITS), "wait-1a")["within_promise"] == 8

    async def test_count_the_days_of_the_period_alone(self, clinic: TestClinic) -> None:
        for _ in range(6):
            await waited(clinic, 9)
        day, after = SENT.date(), SENT.date() + timedelta(days=1)
        assert len(await figures(clinic, f"{WAITS}?from={day}&to={day}")) == 1
        assert await figures(clinic, f"{WAITS}?from={after}&to={after}") == []

    async def test_follow_the_visit_that_took_place_and_not_one_recorded_by_mistake(
        self, clinic: TestClinic
    ) -> None:
        care = await accepted(clinic)
        await care.appointment("appointment.booked")
        assert (await kept(clinic, care.referral)).first_seen_at is None
        await care.appointment("appointment.fulfilled", status="fulfilled")
        assert (await kept(clinic, care.referral)).first_seen_at == datetime(2026, 3, 10, 14, tzinfo=UTC)
        await care.appointment("appointment.corrected", status="noshow")
        assert (await kept(clinic, care.referral)).first_seen_at is None

    async def test_of_older_referrals_are_read_from_their_tasks(self, clinic: TestClinic) -> None:
        care = await accepted(clinic)
        await care.appointment("appointment.booked")
        await care.appointment("appointment.fulfilled", status="fulfilled")
        await care.plan("plan.activated")
        asked = located(
            await send(clinic, referrals.bundle(answers={"night-pain": None, "weight-loss": None}))
        )
        before = [await kept(clinic, referral) for referral in (care.referral, asked)]
        assert before[0].care_began_at is not None
        async with clinic.databases["referral"].transaction() as tx:
            await tx.run(_FORGET)
            for name in ("_SEEN", "_BEGAN", "_MISSED"):
                await tx.run(getattr(migration(), name).replace("\\:", ":"))
        assert [await kept(clinic, referral) for referral in (care.referral, asked)] == before


class TestCompleteness:
    async def test_tells_what_a_practice_missed_most(self, clinic: TestClinic) -> None:
        for _ in range(7):
            await send(clinic, referrals.bundle(answers={"night-pain": None}))
        for _ in range(6):
            await send(clinic, referrals.bundle())
        (card,) = await figures(clinic, COMPLETENESS, as_="family-practice")
        assert (card["practice"], card["referrals"], card["complete"]) == ("family-practice", 13, 6)
        (most,) = card["missing_most"]
        assert (most["code"], most["times"]) == ("night-pain", 7)
        assert "night pain" in most["text"]

    async def test_a_practice_reads_its_own_and_the_coordinator_all_of_the_site(
        self, clinic: TestClinic
    ) -> None:
        for sender in ("family-practice", "second-practice"):
            for _ in range(6):
                await send(clinic, referrals.bundle(), as_=sender)
        mine = await figures(clinic, COMPLETENESS, as_="second-practice")
        assert [card["practice"] for card in mine] == ["second-practice"]
        both = await figures(clinic, COMPLETENESS)
        assert [card["practice"] for card in both] == ["family-practice", "second-practice"]

    async def test_of_a_few_nothing_is_told(self, clinic: TestClinic) -> None:
        for _ in range(5):
            await send(clinic, referrals.bundle(answers={"night-pain": None}))
        (card,) = await figures(clinic, COMPLETENESS, as_="family-practice")
        assert card["suppressed"] is True
        assert card["referrals"] is None
        assert card["missing_most"] == []

    async def test_what_was_missed_is_not_told_where_the_rest_would_be_of_a_few(
        self, clinic: TestClinic
    ) -> None:
        for missed in (*[None] * 7, "no"):
            await send(clinic, referrals.bundle(answers={"night-pain": missed}))
        (card,) = await figures(clinic, COMPLETENESS, as_="family-practice")
        assert (card["referrals"], card["missing_most"]) == (8, [])

    @pytest.mark.parametrize(
        ("missing", "complete", "days"), [(6, 5, None), (5, 6, None), (6, 6, 0), (0, 6, 0)]
    )
    async def test_how_long_it_took_is_not_told_of_a_few_nor_where_the_rest_would_be(
        self, clinic: TestClinic, missing: int, complete: int, days: int | None
    ) -> None:
        for missed in (*[None] * missing, *["no"] * complete):
            await send(clinic, referrals.bundle(answers={"night-pain": missed}))
        (card,) = await figures(clinic, COMPLETENESS, as_="family-practice")
        assert (card["referrals"], card["median_days_until_complete"]) == (missing + complete, days)

    async def test_counts_the_local_days_of_the_site(self, clinic: TestClinic) -> None:
        for _ in range(6):
            await send(clinic, referrals.bundle())
        late = datetime(2026, 3, 3, 2, tzinfo=UTC)  # nine in the evening of the second, on the site's wall
        async with clinic.databases["referral"].transaction() as tx:
            await sql(tx, "UPDATE referral SET sent_at = :late, complete_at = :late", late=late)
        for address in (WAITS, COMPLETENESS):
            assert await figures(clinic, f"{address}?from=2026-03-03&to=2026-03-03") == []
        assert len(await figures(clinic, f"{COMPLETENESS}?from=2026-03-02&to=2026-03-02")) == 1

    async def test_what_was_missing_first_stays_when_it_has_come(self, clinic: TestClinic) -> None:
        referral = located(await send(clinic, referrals.bundle(answers={"night-pain": None})))
        late = referrals.a_response("urn:x")
        late.pop("subject")
        await operate(clinic, "family-practice", referral, "provide-information", answers=late)
        async with clinic.databases["referral"].transaction() as tx:
            (row,) = await sql(
                tx, "SELECT missing_at_first, complete_at FROM referral WHERE id = :id", id=referral
            )
        assert row.missing_at_first == ["night-pain"]
        assert row.complete_at is not None


class TestForms:
    async def test_a_table_comes_as_csv_and_as_a_picture_without_script(self, clinic: TestClinic) -> None:
        for _ in range(6):
            await waited(clinic, 9)
        sheet = await clinic.as_("coordinator").get(f"{WAITS}?format=csv")
        assert sheet.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(io.StringIO(sheet.text))
        assert (row["wait"], row["median_days"]) == ("wait-1a", "9")
        picture = await clinic.as_("coordinator").get(WAITS, headers={"accept": "image/svg+xml"})
        assert picture.headers["content-type"] == "image/svg+xml"
        root = ET.fromstring(picture.content)
        assert "rapid-access wait-1a" in "".join(root.itertext())
        assert "<script" not in picture.text

    async def test_an_empty_period_is_empty_in_each_form(self, clinic: TestClinic) -> None:
        for form in ("json", "csv", "svg"):
            answer = await clinic.as_("coordinator").get(f"{COMPLETENESS}?format={form}")
            assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("address", [WAITS, COMPLETENESS])
    async def test_an_empty_sheet_has_the_columns_of_a_full_one(
        self, clinic: TestClinic, address: str
    ) -> None:
        empty = await clinic.as_("coordinator").get(f"{address}?format=csv")
        await waited(clinic, 9)
        full = await clinic.as_("coordinator").get(f"{address}?format=csv")
        assert len(full.text.splitlines()) > 1
        assert empty.text.splitlines() == full.text.splitlines()[:1]


class TestRefusal:
    @pytest.mark.parametrize(
        ("asked", "status", "where"),
        [
            ("programme=rapid-access", 400, "programme"),
            ("format=pdf", 400, "format"),
            ("format=csv&format=svg", 400, "format"),
            ("from=yesterday", 422, "from"),
            ("from=2026-03-02&to=2026-03-01", 422, "from"),
            ("to=2026-02-30", 422, "to"),
        ],
    )
    async def test_what_is_not_known_is_told(
        self, clinic: TestClinic, asked: str, status: int, where: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{WAITS}?{asked}")
        assert answer.status_code == status, answer.text
        assert answer.json()["issue"][0]["expression"] == [where]

    @pytest.mark.parametrize(
        "period", ["to=0001-01-01", "from=0001-01-01", "to=9999-12-31", "from=9999-12-31&to=9999-12-31"]
    )
    async def test_the_first_and_the_last_of_all_days_are_days(self, clinic: TestClinic, period: str) -> None:
        for address in (WAITS, COMPLETENESS):
            assert await figures(clinic, f"{address}?{period}") == []

    @pytest.mark.parametrize("party", ["workplace-insurer", "physiatrist", "operator"])
    async def test_others_read_no_figures(self, clinic: TestClinic, party: str) -> None:
        for address in (WAITS, COMPLETENESS):
            assert (await clinic.as_(party).get(address)).status_code == 403
