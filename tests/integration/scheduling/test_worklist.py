"""`GET /scheduling/worklist`: each kind comes and goes with what ends it, the most urgent first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.scheduling.queries import worklist as queries
from shared.auth.principal import Principal
from shared.auth.scopes import Scopes
from shared.fhir import worklists
from tests.integration.scheduling.test_board import row_of, until_full
from tests.integration.scheduling.test_doors import PAT, clinic, first_of, put, refer
from tests.support.clinic import TestClinic
from tests.support.sql import sql

__all__ = ["clinic"]

WORKLIST = "/scheduling/worklist"
OTHERS = "guarantee,waitlist,unrecorded,replan,recall"
_MANY = 20_000
_FILL = """
WITH made AS (
  INSERT INTO referral (id, patient_id, programme, site, requester, accepted_at, sent_at, complete_at, due_on,
    due_at, unavailable, state, ended_because, team)
  SELECT gen_random_uuid(), 'somebody', 'chronic-pain', 'toronto', 'practice', now(), now(), now(),
    current_date, now(), '[]', 'open', '[]', '{}'
  FROM generate_series(1, :many)
  RETURNING id
)
INSERT INTO appointment (id, event_version, version, last_updated, body, referral_id, kind, status,
  patient_id, programme, site, requester, minutes, reasons, patient_caused, due_at, waits_since)
SELECT gen_random_uuid(), 1, 1, now(), '', id, 'first', 'waitlist', 'somebody', 'chronic-pain', 'toronto',
  'practice', 60, '[]', false, now() + random() * interval '50 days' - interval '25 days', now()
FROM made
"""
_BLOCKS = """
SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::int FROM pg_class
WHERE oid = 'appointment'::regclass
  OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'appointment'::regclass)
"""


async def work(clinic: TestClinic, query: str = "", *, who: str = "coordinator") -> dict[str, Any]:
    # Whom to telephone about a new first visit is a list of its own (test_promised_day, test_telephone).
    if "kind=" not in query and who == "coordinator":
        query = f"{query}{'&' if query else '?'}kind={OTHERS}"
    answer = await clinic.as_(who).get(f"{WORKLIST}{query}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def kinds(clinic: TestClinic, who: str = "coordinator") -> list[tuple[str, str]]:
    return [(row["kind"], row["urgency"]) for row in (await work(clinic, who=who))["rows"]]


def acts(row: dict[str, Any]) -> list[str]:
    return [act["name"] for act in row["actions"]]


class TestWhoWaits:
    async def test_is_on_the_list_with_a_guarantee_at_risk_until_booked(self, clinic: TestClinic) -> None:
        assert await kinds(clinic) == []
        _, waiting = await until_full(clinic)
        assert await kinds(clinic) == [("guarantee", "risk"), ("waitlist", "waiting")]
        guarantee, place = (await work(clinic))["rows"]
        assert guarantee["reason"]["coding"][0]["code"] == "nothing-free-in-time"
        assert (guarantee["focus"], guarantee["referral"]) == (f"ServiceRequest/{waiting}", waiting)
        assert (acts(guarantee), acts(place)) == (["book"], ["book"])
        appointment = await first_of(clinic, waiting)
        assert place["resource"] == f"Appointment/{appointment['id']}"
        [remedy] = (await row_of(clinic, waiting))["remedies"]
        end = datetime.fromisoformat(remedy["time"]) + timedelta(minutes=appointment["minutesDuration"])
        time = {"start": remedy["time"], "end": end.isoformat()}
        await put(clinic, "coordinator", appointment | {"status": "booked", **time})
        assert await kinds(clinic) == []

    async def test_is_urgent_once_the_guarantee_broke_and_gone_with_the_referral(
        self, clinic: TestClinic
    ) -> None:
        _, waiting = await until_full(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE guarantee SET due_at = due_at - interval '40 days'")
            await sql(tx, "UPDATE appointment SET due_at = due_at - interval '40 days'")
        assert sorted(await kinds(clinic)) == [("guarantee", "stop"), ("waitlist", "stop")]
        request = {
            "resourceType": "ServiceRequest",
            "id": waiting,
            "status": "revoked",
            "intent": "order",
            "subject": {"reference": "Patient/somebody"},
        }
        await clinic.publish("referral.revoked", focus=request)
        await clinic.settle()
        assert await kinds(clinic) == []


class TestWhoIsSeenAtOnce:
    async def test_is_on_the_list_beside_the_booking_until_the_visit_took_place(
        self, clinic: TestClinic
    ) -> None:
        referral = await refer(clinic, priority="stat", due_on=clinic.clock.now().date())
        [row] = (await work(clinic))["rows"]
        assert (row["kind"], row["urgency"], row["referral"]) == ("guarantee", "risk", referral)
        assert row["reason"]["coding"][0]["code"] == "to-be-seen-at-once"
        assert acts(row) == ["move"]
        visit = await first_of(clinic, referral)
        assert datetime.fromisoformat(visit["start"]).date() == clinic.clock.now().date()
        await clinic.at(datetime.fromisoformat(visit["end"]))
        await put(clinic, "coordinator", visit | {"status": "fulfilled"})
        assert await kinds(clinic) == []


class TestAVisitThatIsOver:
    async def test_is_on_the_list_until_somebody_records_it(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        ends = datetime.fromisoformat(visit["end"])
        await clinic.at(ends - timedelta(minutes=1))
        assert await kinds(clinic) == []
        await clinic.at(ends)
        [row] = (await work(clinic))["rows"]
        assert (row["kind"], row["urgency"], row["state"]) == ("unrecorded", "turn", "booked")
        assert row["since"] == visit["end"]
        assert datetime.fromisoformat(row["due"]) == ends + timedelta(hours=24)
        assert acts(row) == ["fulfil", "miss", "cancel"]
        await clinic.at(ends + timedelta(hours=24))
        assert await kinds(clinic) == [("unrecorded", "stop")]
        await put(clinic, "coordinator", visit | {"status": "fulfilled"})
        assert await kinds(clinic) == []

    async def test_is_its_clinicians_and_no_others(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        await clinic.at(datetime.fromisoformat(visit["end"]))
        body = await work(clinic, who="physiotherapist")
        assert body["counts"] == {"unrecorded": 1}
        assert acts(body["rows"][0]) == ["fulfil", "miss", "cancel"]
        assert await kinds(clinic, "psychologist") == []

    async def test_leaves_the_list_when_it_is_called_off(self, clinic: TestClinic) -> None:
        visit = await first_of(clinic, await refer(clinic))
        await clinic.at(datetime.fromisoformat(visit["end"]))
        reason = {"cancelationReason": {"coding": [{"system": PAT, "code": "prov"}]}}
        answer = await put(clinic, "coordinator", visit | {"status": "cancelled", **reason})
        assert answer.status_code == 200, answer.text
        assert ("unrecorded", "turn") not in await kinds(clinic)


class TestVisitsToPlanAnew:
    async def test_are_on_the_list_until_the_task_ends(self, clinic: TestClinic) -> None:
        async with clinic.databases["scheduling"].transaction() as tx:
            task = "01890000-0000-7000-8000-000000000001"
            await sql(
                tx,
                "INSERT INTO replan_task (id, event_version, version, body, site, status, visits, opened_at,"
                " ended_because, is_settled)"
                " VALUES (:id, 1, 1, '', 'toronto', 'requested', '[]', :at, '[]', false)",
                id=UUID(task),
                at=clinic.clock.now(),
            )
        [row] = (await work(clinic))["rows"]
        assert (row["kind"], row["resource"], row["patient"]) == ("replan", f"Task/{task}", None)
        assert acts(row) == ["complete"]
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "UPDATE replan_task SET status = 'completed'")
        assert await kinds(clinic) == []


class TestAPage:
    async def test_is_followed_by_the_rest_while_rows_come_and_go(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        for _ in range(3):
            await refer(clinic, programme="chronic-pain")
        whole = await work(clinic)
        assert (whole["total"], whole["counts"]["waitlist"], whole["counts"]["guarantee"]) == (8, 4, 4)
        seen = [row["resource"] for row in whole["rows"]]
        page = await work(clinic, "?_count=3")
        assert [row["resource"] for row in page["rows"]] == seen[:3]
        async with clinic.databases["scheduling"].transaction() as tx:
            ended = UUID(seen[1].partition("/")[2])
            await sql(tx, "UPDATE guarantee SET unbooked_since = NULL WHERE id = :id", id=ended)
        found = list[str]()
        while page["next"] is not None:
            page = await work(clinic, f"?_count=3&_after={page['next']}")
            found += [row["resource"] for row in page["rows"]]
        assert found == seen[3:]

    async def test_keeps_its_order_when_time_goes_on(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        await refer(clinic, programme="chronic-pain")
        seen = [row["resource"] for row in (await work(clinic))["rows"]]
        page = await work(clinic, "?_count=2")
        clinic.clock.set(clinic.clock.now() + timedelta(days=40))
        after = await work(clinic, f"?_count=50&_after={page['next']}")
        assert [row["resource"] for row in after["rows"] if row["kind"] != "unrecorded"] == seen[2:]

    async def test_reads_what_its_rows_are_about_once(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        body = await work(clinic)
        assert {row["kind"] for row in body["rows"]} == {"guarantee", "waitlist"}
        for worker in clinic.workers.values():
            await worker.stop()
        database = clinic.databases["scheduling"]
        before = database.round_trips
        await work(clinic)
        # Begin and commit, the entries and their counts, the audit; the guarantees, the visits, and of both
        # the referrals, the first appointments and the patients.
        assert database.round_trips - before <= 10

    async def test_is_of_the_kinds_that_are_asked_for(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        body = await work(clinic, "?kind=waitlist")
        assert [row["kind"] for row in body["rows"]] == ["waitlist"]
        assert (body["total"], body["counts"]["guarantee"]) == (1, 1)

    async def test_has_nothing_of_another_site(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        async with clinic.databases["scheduling"].transaction() as tx:
            for table in ("guarantee", "appointment"):
                await sql(tx, f"UPDATE {table} SET site = 'elsewhere'")
        body = await work(clinic)
        assert (body["rows"], body["total"]) == ([], 0)

    async def test_is_audited_with_every_patient_on_it(self, clinic: TestClinic) -> None:
        await until_full(clinic)
        patient = (await work(clinic))["rows"][0]["patient"]["id"]

        async def accesses() -> int:
            query = f"AuditEvent?patient=Patient/{patient}&_count=200"
            found = await clinic.as_("privacy-officer").get(f"/scheduling/fhir/{query}")
            return found.text.count("PatientQuery")

        before = await accesses()
        await work(clinic)
        assert await accesses() == before + 2, "this one, and the search for it"

    @pytest.mark.parametrize(
        ("query", "place"),
        [
            ("kind=odd", "kind"),
            ("_count=many", "_count"),
            ("_after=nonsense", "_after"),
            ("_after=W1sidiIsIDFdXQ==", "_after"),
            ("colour=red", "colour"),
            ("kind=waitlist&kind=replan", "kind"),
        ],
    )
    async def test_that_is_asked_for_wrongly_is_refused_with_the_place(
        self, clinic: TestClinic, query: str, place: str
    ) -> None:
        answer = await clinic.as_("coordinator").get(f"{WORKLIST}?{query}")
        assert answer.status_code in (400, 422), answer.text
        assert answer.json()["issue"][0]["expression"] == [place]

    async def test_is_nothing_for_senders_and_insurers(self, clinic: TestClinic) -> None:
        for who in ("family-practice", "workplace-insurer", "operator"):
            assert (await clinic.as_(who).get(WORKLIST)).status_code == 403


class TestALongList:
    async def test_is_read_a_page_at_a_time(self, clinic: TestClinic) -> None:
        caller = Principal(
            client="coordinator",
            party="coordinator",
            scopes=Scopes.parse(["user/Task.s", "user/Appointment.s"]),
            site="toronto",
        )
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, _FILL, many=_MANY)
        async with clinic.databases["scheduling"].transaction() as tx:
            await sql(tx, "ANALYZE appointment")
        sources = queries.sources(caller, at=clinic.clock.now(), record_within=timedelta(hours=24))
        assert await _blocks(clinic, sources, after=None) < 500
        async with clinic.databases["scheduling"].transaction() as tx:
            middle = await worklists.read(
                tx, sources, at=clinic.clock.now(), kinds=["waitlist"], count=5000, after=None
            )
        assert await _blocks(clinic, sources, after=middle.next) < 500


async def _blocks(
    clinic: TestClinic, sources: Sequence[worklists.WorklistSource], *, after: str | None
) -> int:
    """Count the blocks of appointments and their indexes that one page looks at."""
    async with clinic.databases["scheduling"].transaction() as tx:
        before = await tx.value(_BLOCKS)
        page = await worklists.read(
            tx, sources, at=clinic.clock.now(), kinds=["waitlist"], count=50, after=after
        )
        assert len(page.entries) == 50
        return int(await tx.value(_BLOCKS)) - int(before)
