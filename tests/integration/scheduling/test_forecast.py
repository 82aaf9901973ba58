"""`GET /scheduling/forecast`, and the nights on which a site keeps what it forecast."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scheduling import use_cases
from services.scheduling.models.timer_kinds import TimerKind
from services.scheduling.use_cases import keep_forecast
from tests.integration.scheduling.test_board import until_full
from tests.integration.scheduling.test_doors import clinic, refer
from tests.support.clinic import TestClinic
from tests.support.context import a_context
from tests.support.sql import sql

__all__ = ["clinic"]

FORECAST = "/scheduling/forecast"
DISCIPLINES = ["pain-medicine", "physiatry", "physiotherapy"]


async def forecast(clinic: TestClinic, query: str = "") -> dict[str, Any]:
    answer = await clinic.as_("coordinator").get(f"{FORECAST}{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def nights_kept(clinic: TestClinic) -> list[date]:
    async with clinic.databases["scheduling"].transaction() as tx:
        found = await sql(tx, "SELECT DISTINCT made_on FROM forecast_made ORDER BY made_on")
        return [row.made_on for row in found]


class TestTheForecast:
    async def test_says_each_week_by_discipline_and_in_all(self, clinic: TestClinic) -> None:
        body = await forecast(clinic)
        assert (body["weeks"], body["disciplines"], body["interval"]) == (8, DISCIPLINES, 0.8)
        assert [row["week"] for row in body["rows"]] == [week for week in range(1, 9) for _ in range(4)]
        assert [row["discipline"] for row in body["rows"][:4]] == [*DISCIPLINES, None]
        for row in body["rows"]:
            for what in ("breaches", "demand", "capacity"):
                assert 0 <= row[what]["q10"] <= row[what]["q50"] <= row[what]["q90"]
        first, last = body["rows"][0], body["rows"][-1]
        assert (first["from"], last["to"]) == (body["from"], body["to"])
        assert body["certainty"]["is_range"] is False

    async def test_of_26_weeks_says_that_it_is_a_range(self, clinic: TestClinic) -> None:
        body = await forecast(clinic, "?weeks=26")
        assert body["certainty"]["is_range"] is True
        assert body["certainty"]["sure_weeks"] == 8
        assert len(body["totals"]) == 4

    async def test_says_what_was_assumed(self, clinic: TestClinic) -> None:
        await refer(clinic)
        await clinic.days(1)
        assumed = (await forecast(clinic))["assumed"]
        assert assumed["referrals"] == 1
        assert 0 < assumed["learned_weeks"] < 1
        assert set(assumed["a_week"]) == set(DISCIPLINES)

    async def test_counts_who_waits_without_a_visit(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        body = await forecast(clinic)
        assert body["waiting"] == {"pain-medicine": 1, "physiatry": 0, "physiotherapy": 0}

    async def test_says_what_more_visits_prevent(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        for _ in range(6):
            await refer(clinic, programme="chronic-pain")
        body = await forecast(clinic, "?weeks=8&extra=pain-medicine:4")
        [total] = [row for row in body["totals"] if row["discipline"] is None]
        assert body["extra"] == [{"discipline": "pain-medicine", "visits": 4, "from_week": 1}]
        assert body["prevented"]["breaches"]["q50"] >= 1
        assert body["prevented"]["by_discipline"]["physiatry"]["q50"] == 0
        assert body["prevented"]["left"]["q50"] < total["breaches"]["q50"]
        later = await forecast(clinic, "?weeks=8&extra=pain-medicine:4&extra-from=8")
        assert later["prevented"]["breaches"]["q50"] < body["prevented"]["breaches"]["q50"]

    async def test_says_for_how_many_first_visits_hours_are_to_be_kept(self, clinic: TestClinic) -> None:
        body = await forecast(clinic)
        kept = {one["discipline"]: one["visits"] for one in body["keep"]}
        assert list(kept) == list(DISCIPLINES)
        for discipline, visits in kept.items():
            asked = [row["demand"]["q90"] for row in body["rows"] if row["discipline"] == discipline]
            assert visits > sum(asked) / len(asked) > 0, "visits that do not take place are needed again"

    async def test_is_the_same_for_the_same_input(self, clinic: TestClinic) -> None:
        assert await forecast(clinic, "?weeks=3") == await forecast(clinic, "?weeks=3")


class TestWhoAsksWrongly:
    @pytest.mark.parametrize(
        ("query", "named", "allowed"),
        [
            ("weeks=0", "weeks", "from 1 to 26"),
            ("weeks=27", "weeks", "from 1 to 26"),
            ("weeks=eight", "weeks", "from 1 to 26"),
            ("weeks=", "weeks", "from 1 to 26"),
            ("weeks=%D9%A3", "weeks", "from 1 to 26"),
            ("weeks=4&extra=physiotherapy:1&extra-from=5", "extra-from", "from 1 to 4"),
            ("extra=surgery:4", "extra", "pain-medicine, physiatry, physiotherapy"),
            ("extra=psychology:4", "extra", "pain-medicine, physiatry, physiotherapy"),
            ("extra=physiotherapy", "extra", "0 to 40"),
            ("extra=physiotherapy:41", "extra", "0 to 40"),
            ("extra=physiotherapy:-1", "extra", "0 to 40"),
            ("extra=physiotherapy:1.5", "extra", "0 to 40"),
            ("extra=physiotherapy:1,physiotherapy:2", "extra", "stands twice"),
            ("extra=physiotherapy:1,", "extra", "pain-medicine, physiatry, physiotherapy"),
            ("weeks=4&weeks=5", "weeks", "comes once"),
            ("site=toronto", "site", "weeks, extra, extra-from"),
        ],
    )
    async def test_is_told_what_is_allowed(
        self, clinic: TestClinic, query: str, named: str, allowed: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{FORECAST}?{query}")
        assert answer.status_code == 400, answer.text
        [issue] = answer.json()["issue"]
        assert issue["expression"] == [named]
        assert allowed in issue["details"]["text"]

    @pytest.mark.parametrize("who", ["physiotherapist", "family-practice", "workplace-insurer"])
    async def test_is_refused_who_is_no_coordinator(self, clinic: TestClinic, who: str) -> None:
        answer = await clinic.as_(who).get(FORECAST)
        assert answer.status_code == 403, answer.text


class TestAnotherSite:
    async def test_is_not_counted(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            for table in ("referral", "guarantee", "appointment"):
                await sql(tx, f"UPDATE {table} SET site = 'elsewhere'")
            await sql(
                tx,
                "INSERT INTO forecast_made (site, need, made_on, week, made_at, q10, q50, q90, truth) SELECT "
                "'elsewhere', 'physiatry', date '2026-01-01' + day, 1, now(), 0, 0, 0, 30 "
                "FROM generate_series(0, 99) AS day",
            )
        body = await forecast(clinic)
        assert body["waiting"] == dict.fromkeys(DISCIPLINES, 0)
        assert body["assumed"]["referrals"] == 0
        assert body["correction"][0]["own_forecasts"] == 0


class TestEveryNight:
    async def test_without_a_referral_ever_keeps_nothing(self, clinic: TestClinic) -> None:
        await clinic.days(1)
        assert await nights_kept(clinic) == []

    async def test_keeps_the_forecast_of_a_site(self, clinic: TestClinic) -> None:
        await refer(clinic)
        await clinic.days(1)
        await clinic.settle()
        [night] = await nights_kept(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            [row] = await sql(tx, "SELECT count(*) AS rows, count(truth) AS known FROM forecast_made")
        assert (row.rows, row.known) == (3 * 26, 0)
        await clinic.days(1)
        await clinic.settle()
        assert await nights_kept(clinic) == [night, night + timedelta(days=1)]

    async def test_says_what_came_true_of_weeks_that_are_over(self, clinic: TestClinic) -> None:
        _, waiting = await until_full(clinic)
        await clinic.days(1)
        await clinic.settle()
        [night] = await nights_kept(clinic)
        due = night + timedelta(days=8)
        ends = datetime.combine(due + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=5)
        async with clinic.databases["scheduling"].transaction() as tx:
            moved = "UPDATE referral SET due_on = :due WHERE id = :id"
            await sql(tx, moved, due=due, id=UUID(waiting))
            broken = "UPDATE guarantee SET status = 'breached', due_at = :ends WHERE referral_id = :id"
            await sql(tx, broken, ends=ends, id=UUID(waiting))
        await clinic.days(18)
        await clinic.settle()
        true = (
            "SELECT need, week, truth FROM forecast_made "
            "WHERE made_on = :night AND truth IS NOT NULL ORDER BY week, need"
        )
        async with clinic.databases["scheduling"].transaction() as tx:
            found = await sql(tx, true, night=night)
        assert [(row.need, row.week, row.truth) for row in found] == [
            *((need, 1, 0) for need in DISCIPLINES),
            ("pain-medicine", 2, 1),
            ("physiatry", 2, 0),
            ("physiotherapy", 2, 0),
        ]

    async def test_that_comes_again_changes_nothing(self, clinic: TestClinic) -> None:
        await refer(clinic)
        await clinic.days(1)
        await clinic.settle()
        async with clinic.databases["scheduling"].transaction() as tx:
            before = [tuple(row) for row in await sql(tx, "SELECT * FROM forecast_made ORDER BY need, week")]
        await refer(clinic)
        ctx = a_context(at=clinic.clock.now(), service="scheduling")
        async with clinic.databases["scheduling"].transaction() as tx:
            await use_cases.keep_forecast.run(ctx, tx, "toronto")
        async with clinic.databases["scheduling"].transaction() as tx:
            after = [tuple(row) for row in await sql(tx, "SELECT * FROM forecast_made ORDER BY need, week")]
        assert after == before

    async def test_is_set_once_however_often_the_worker_starts(self, clinic: TestClinic) -> None:
        ctx = a_context(at=clinic.clock.now(), service="scheduling")
        for _ in range(2):
            async with clinic.databases["scheduling"].transaction() as tx:
                await keep_forecast.start_nights(ctx, tx)
        async with clinic.databases["scheduling"].transaction() as tx:
            found = await sql(tx, "SELECT ref FROM timer WHERE kind = :kind", kind=str(TimerKind.FORECAST))
        assert [row.ref for row in found] == ["toronto"]

    async def test_of_a_site_that_is_gone_is_the_last(self, clinic: TestClinic) -> None:
        ctx = a_context(at=clinic.clock.now(), service="scheduling")
        async with clinic.databases["scheduling"].transaction() as tx:
            await use_cases.keep_forecast.run(ctx, tx, "elsewhere")
            found = await sql(tx, "SELECT ref FROM timer WHERE ref = 'elsewhere'")
        assert [*found] == []
