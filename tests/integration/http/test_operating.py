"""What an operator asks a service: how it is, what is held, and what it has published about a referral."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.clock import machine_now
from shared.db import Database
from shared.events.topics import FEED
from shared.events.transport import event_log
from tests.conftest import MakeDatabase
from tests.support.toy import MONDAY, Base, Toy, make_toy, run_toy

REFERRAL = "0191d4b2-7a70-7000-8000-00000000000c"
PATIENT = "0191d4b2-7a70-7000-8000-00000000000a"
ROUTES = (
    ("GET", "/health"),
    ("GET", "/dead-letters"),
    ("POST", f"/dead-letters/{PATIENT}/$replay"),
    ("GET", f"/trace?referral={REFERRAL}"),
)
_HOLD_KEY = """
INSERT INTO held_key (consumer_group, key, state, attempts, machine_since, machine_next_at, error)
VALUES ('toy', $1, $2, 3, $3, $4, 'ValueError at handlers.py:7')
"""
_HOLD_EVENT = """
INSERT INTO held_event
  (consumer_group, key, event_id, topic, log_partition, log_offset, headers, value, machine_at)
VALUES ('toy', $1, $2, 'lumbar.referral', 0, $3, $4, $5, $6)
"""


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> Toy:
    return await run_toy(await make_database(Base.metadata))


async def hold(toy: Toy, key: str, *, state: str, events: int = 1, hours: int = 1) -> None:
    """Hold events of a key, the first since so many hours."""
    since = machine_now() - timedelta(hours=hours)
    async with toy.database.transaction() as tx:
        await tx.run(_HOLD_KEY, key, state, since, None if state == "dead" else machine_now())
        for number in range(events):
            held = (f"{key}-{number}", number, {"ce_type": "referral.accepted"}, b"Yuki Tanabe", since)
            await tx.run(_HOLD_EVENT, key, *held)


async def answered(toy: Toy, path: str) -> dict[str, Any]:
    answer = await toy.as_("operator").get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


async def replay(toy: Toy, key: str, *, name: str | None = None, query: str = "") -> httpx.Response:
    headers = {} if name is None else {"Idempotency-Key": name}
    return await toy.as_("operator").post(f"/dead-letters/{key}/$replay{query}", headers=headers)


async def state_of(toy: Toy, key: str) -> tuple[str, int]:
    rows = await toy.database.fetch("SELECT state, attempts FROM held_key WHERE key = $1", key)
    return rows[0]["state"], rows[0]["attempts"]


class TestWhoMayAsk:
    @pytest.mark.parametrize(("method", "path"), ROUTES)
    async def test_operators_alone(self, toy: Toy, method: str, path: str) -> None:
        await hold(toy, PATIENT, state="dead")
        assert (await toy.anonymous().request(method, path)).status_code == 401
        for stranger in ("family-practice", "workplace-insurer", "coordinator", "physiatrist"):
            assert (await toy.as_(stranger).request(method, path)).status_code == 403, stranger
        assert await state_of(toy, PATIENT) == ("dead", 3)
        assert (await toy.as_("operator").request(method, path)).status_code == 200

    @pytest.mark.parametrize(("method", "path"), ROUTES)
    async def test_each_question_is_audited_and_names_no_patient(
        self, toy: Toy, method: str, path: str
    ) -> None:
        await hold(toy, PATIENT, state="dead")
        await toy.as_("operator").request(method, path)
        await toy.as_("coordinator").request(method, path)
        rows = [(row["client"], row["outcome"], row["patient_id"]) for row in await toy.audited()]
        assert rows == [("operator", "0", None), ("coordinator", "4", None)]


class TestHealth:
    async def test_of_a_service_with_nothing_to_do_is_all_zero(self, toy: Toy) -> None:
        assert await answered(toy, "/health") == {
            "service": "toy",
            "as_of": "2026-03-02T13:00:00.000Z",
            "database": "up",
            "relay": {"waiting": 0, "oldest_seconds": None},
            "lag": [],
            "held": {"retrying": 0, "dead": 0},
            "timers": {"due": 0, "next": None},
        }

    async def test_counts_what_waits_and_says_since_when(self, toy: Toy) -> None:
        written = machine_now() - timedelta(seconds=90)
        async with toy.database.transaction() as tx:
            for number in range(3):
                await tx.run(
                    "INSERT INTO outbox (event_id, topic, key, headers, value, machine_at)"
                    " VALUES ($1, 'toy', 'p', '{}', '', $2)",
                    str(number),
                    written,
                )
            for hours, ref in ((-1, "late"), (-2, "later"), (5, "coming")):
                due = MONDAY + timedelta(hours=hours)
                await tx.run("INSERT INTO timer (kind, ref, due_at) VALUES ('a', $1, $2)", ref, due)
            progress = "INSERT INTO topic_progress VALUES ('toy', $1, $2, $3), ('other', 'x', 9, $3)"
            await tx.run(progress, "lumbar.referral", 7, MONDAY)
        await hold(toy, "p1", state="dead")
        await hold(toy, "p2", state="retrying")
        await hold(toy, "p3", state="retrying")
        found = await answered(toy, "/health")
        assert found["relay"]["waiting"] == 3
        assert 90 <= found["relay"]["oldest_seconds"] < 150
        assert found["held"] == {"retrying": 2, "dead": 1}
        assert found["timers"] == {"due": 2, "next": "2026-03-02T18:00:00.000Z"}
        assert found["lag"] == [
            {"topic": "lumbar.referral", "events": 7, "as_of": "2026-03-02T13:00:00.000Z"}
        ]

    async def test_of_a_database_that_is_away_is_unknown_and_not_nothing(self) -> None:
        database = Database.connect("postgresql://nobody@127.0.0.1:1/nothing", name="toy")
        toy = make_toy(database)
        found = await answered(toy, "/health")
        await database.close()
        assert found["database"] == "down"
        assert found["relay"] == {"waiting": None, "oldest_seconds": None}
        assert found["held"] == {"retrying": None, "dead": None}


class TestDeadLetters:
    async def test_are_listed_dead_ones_first_by_ids_and_types_alone(self, toy: Toy) -> None:
        await hold(toy, "p1", state="retrying", hours=9)
        await hold(toy, "p2", state="dead", events=2, hours=1)
        await hold(toy, "lumbar.referral/0/4", state="dead", hours=3)
        found = await answered(toy, "/dead-letters")
        assert found["total"] == 3
        assert [(row["key"], row["state"]) for row in found["rows"]] == [
            ("lumbar.referral/0/4", "dead"),
            ("p2", "dead"),
            ("p1", "retrying"),
        ]
        row = found["rows"][1]
        assert (row["group"], row["attempts"], row["next_at"], row["waiting"]) == ("toy", 3, None, 2)
        assert row["error"] == "ValueError at handlers.py:7"
        assert row["events"] == [
            {"id": f"p2-{n}", "type": "referral.accepted", "topic": "lumbar.referral", "offset": n}
            for n in range(2)
        ]
        assert "Tanabe" not in str(found)

    async def test_of_many_are_the_first_of_them_and_their_number(self, toy: Toy) -> None:
        await hold(toy, "p1", state="dead", events=60)
        for number in range(205):
            await hold(toy, f"q{number}", state="retrying")
        found = await answered(toy, "/dead-letters")
        assert (found["total"], len(found["rows"])) == (206, 200)
        assert (found["rows"][0]["waiting"], len(found["rows"][0]["events"])) == (60, 50)

    async def test_are_tried_again_from_the_first_attempt(self, toy: Toy) -> None:
        await hold(toy, PATIENT, state="dead", events=2)
        answer = await replay(toy, PATIENT)
        assert (answer.status_code, answer.json()) == (200, {"replayed": 2})
        assert await state_of(toy, PATIENT) == ("retrying", 0)

    async def test_of_an_event_without_a_key_are_found_by_its_place(self, toy: Toy) -> None:
        await hold(toy, "lumbar.referral/0/4", state="dead")
        assert (await replay(toy, "lumbar.referral%2F0%2F4")).json() == {"replayed": 1}
        assert await state_of(toy, "lumbar.referral/0/4") == ("retrying", 0)

    async def test_the_same_idempotency_key_is_the_same_act(self, toy: Toy) -> None:
        await hold(toy, PATIENT, state="dead")
        first = await replay(toy, PATIENT, name="once")
        async with toy.database.transaction() as tx:
            await tx.run("UPDATE held_key SET state = 'dead', attempts = 8")
        again = await replay(toy, PATIENT, name="once")
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotent-Replayed"] == "true"
        assert await state_of(toy, PATIENT) == ("dead", 8)
        assert [(row["client"], row["outcome"]) for row in await toy.audited()] == [("operator", "0")] * 2
        stranger = toy.as_("coordinator", **{"Idempotency-Key": "once"})
        assert (await stranger.post(f"/dead-letters/{PATIENT}/$replay")).status_code == 403

    async def test_which_are_not_there_are_404_and_nothing_is_written(self, toy: Toy) -> None:
        await hold(toy, PATIENT, state="dead")
        for key, query in (("somebody", ""), (PATIENT, "?group=referral"), ("%00", "")):
            answer = await replay(toy, key, query=query)
            assert answer.status_code in (400, 404, 422), (key, answer.text)
            assert answer.json()["resourceType"] == "OperationOutcome"
        assert (await replay(toy, PATIENT, query="?groop=toy")).status_code == 400
        assert await state_of(toy, PATIENT) == ("dead", 3)


class TestTrace:
    async def test_names_the_events_of_a_referral_in_their_order(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shared.http.trace.topics_of", lambda _: frozenset({"lumbar.toy", FEED}))
        assert await answered(toy, f"/trace?referral={REFERRAL}") == {"kept": False, "events": []}
        await publish(toy, "one", {"ce_referralid": REFERRAL, "ce_causationid": "request-1"})
        await publish(toy, "two", {"ce_referralid": "0191d4b2-7a70-7000-8000-00000000000d"})
        await publish(toy, "three", {"ce_subject": f"ServiceRequest/{REFERRAL}"})
        await publish(toy, "copied", {"ce_referralid": REFERRAL}, topic=FEED)
        found = await answered(toy, f"/trace?referral={REFERRAL}")
        assert found["kept"] is True
        assert [(event["id"], event["offset"]) for event in found["events"]] == [("one", 0), ("three", 2)]
        assert found["events"][0] == {
            "id": "one",
            "type": "referral.accepted",
            "time": "2026-03-02T13:00:00.000Z",
            "version": 4,
            "causation": "request-1",
            "topic": "lumbar.toy",
            "offset": 0,
        }

    async def test_needs_the_id_of_a_referral(self, toy: Toy) -> None:
        for query, status in (
            ("", 422),
            ("?referral=", 422),
            ("?referral=Yuki%20Tanabe", 422),
            ("?referral=%00", 422),
            (f"?referral={REFERRAL}&referral=other", 400),
            ("?patient=p", 400),
        ):
            answer = await toy.as_("operator").get(f"/trace{query}")
            assert answer.status_code == status, (query, answer.text)


async def publish(toy: Toy, name: str, more: dict[str, str], *, topic: str = "lumbar.toy") -> None:
    """Put an event into the log of a topic."""
    headers = {
        "ce_id": name,
        "ce_type": "referral.accepted",
        "ce_version": "4",
        "ce_time": MONDAY.isoformat(),
    }
    row = event_log.OutboxRow(
        id=0, event_id=name, topic=topic, key=PATIENT, headers=headers | more, value=b"Yuki Tanabe"
    )
    async with toy.database.transaction() as tx:
        await event_log.append(tx, topic, [row])
