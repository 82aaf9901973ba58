"""One call: commit before the answer, keys, versions, refusals, the audit."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from shared.db import Database
from shared.fhir import store
from shared.http import idempotency
from tests.conftest import MakeDatabase
from tests.support.toy import Base, Toy, run_toy

NOTE = "/fhir/Communication"


def a_note(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Communication", "status": "completed", **members}


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


class TestAnswers:
    async def test_tell_version_place_and_request(self, toy: Toy) -> None:
        sent = "0191d4b2-7a70-7000-8000-000000000001"
        answer = await toy.as_("family-practice").post(NOTE, json=a_note(), headers={"X-Request-Id": sent})
        identifier = answer.json()["id"]
        assert answer.status_code == 201
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.headers["etag"] == 'W/"1"'
        assert answer.headers["last-modified"] == "Mon, 02 Mar 2026 13:00:00 GMT"
        assert (
            answer.headers["location"] == f"http://clinic.test/toy/fhir/Communication/{identifier}/_history/1"
        )
        assert answer.headers["x-request-id"] == sent

    async def test_a_request_id_that_is_no_id_is_replaced(self, toy: Toy) -> None:
        answer = await toy.as_("family-practice").post(
            NOTE, json=a_note(), headers={"X-Request-Id": "Wilhelmina-Featherstone"}
        )
        assert "Wilhelmina" not in answer.headers["x-request-id"]
        assert len(answer.headers["x-request-id"]) == 36

    async def test_leave_only_after_the_commit(self, toy: Toy) -> None:
        answer = await toy.as_("family-practice").post(f"{NOTE}/$fail-late", json=a_note())
        assert answer.status_code == 409
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert await toy.count("toy_note") == 0

    async def test_an_unexpected_failure_is_a_500_with_an_id_and_without_its_text(self, toy: Toy) -> None:
        answer = await toy.as_("family-practice").post(f"{NOTE}/$explode", json=a_note())
        assert answer.status_code == 500
        assert "unexpected" not in answer.text
        assert answer.headers["x-request-id"] in answer.json()["issue"][0]["details"]["text"]

    async def test_parameters_are_read_by_name(self, toy: Toy) -> None:
        asked = [
            {"name": "reason", "valueString": "x"},
            {"name": "attended", "valueBoolean": True},
            {"name": "attended", "valueBoolean": False},
            {"name": "action", "part": [{"name": "owner", "valueString": "me"}]},
        ]
        answer = await toy.as_("family-practice").post(
            f"{NOTE}/$sum", json={"resourceType": "Parameters", "parameter": asked}
        )
        assert answer.json()["asked"] == {"reason": "x", "attended": [True, False], "action": {"owner": "me"}}


class TestIdempotencyKey:
    async def test_gives_the_same_answer_and_one_effect(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        first = await client.post(NOTE, json=a_note())
        again = await client.post(NOTE, json=a_note())
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
        assert "idempotent-replayed" not in first.headers
        assert await toy.count("toy_note") == 1

    async def test_refuses_another_body(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        await client.post(NOTE, json=a_note())
        other = await client.post(NOTE, json=a_note(status="in-progress"))
        assert other.status_code == 422
        assert await toy.count("toy_note") == 1

    @pytest.mark.parametrize("name", ["If-Match", "X-Security-Context"])
    async def test_refuses_what_is_asked_otherwise_by_a_header(self, toy: Toy, name: str) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        asked = [
            await client.post(NOTE, json=a_note(), headers={name: text}) for text in ("one", "one", "two")
        ]
        without = await client.post(NOTE, json=a_note())
        assert [answer.status_code for answer in asked] == [201, 201, 422]
        assert asked[1].headers["idempotent-replayed"] == "true"
        assert "another body or condition" in asked[2].text
        assert without.status_code == 422
        assert await toy.count("toy_note") == 1

    async def test_refuses_another_address(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        await client.post(NOTE, json=a_note())
        other = await client.post(f"{NOTE}/$fail-late", json=a_note())
        assert other.status_code == 422

    async def test_is_each_clients_own(self, toy: Toy) -> None:
        for practice in ("family-practice", "second-practice"):
            client = toy.as_(practice, **{"Idempotency-Key": "one"})
            assert "idempotent-replayed" not in (await client.post(NOTE, json=a_note())).headers
        assert await toy.count("toy_note") == 2

    async def test_ten_at_once_have_one_effect(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        answers = await asyncio.gather(*(client.post(NOTE, json=a_note()) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
        assert await toy.count("toy_note") == 1

    async def test_outlives_a_crash_between_commit_and_answer(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        with monkeypatch.context() as crash:
            crash.setattr("shared.db.transaction.Transaction.call_back", _die)
            lost = await client.post(NOTE, json=a_note())
        assert lost.status_code == 500
        again = await client.post(NOTE, json=a_note())
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        assert await toy.count("toy_note") == 1

    async def test_a_refused_call_may_be_tried_again(self, toy: Toy) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        assert (await client.post(NOTE, json=a_note(status="no-status"))).status_code == 422
        assert (await client.post(NOTE, json=a_note())).status_code == 201

    async def test_is_forgotten_after_a_week(self, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
        client = toy.as_("family-practice", **{"Idempotency-Key": "one"})
        await client.post(NOTE, json=a_note())
        later = idempotency.machine_now() + idempotency.KEPT_FOR
        monkeypatch.setattr(idempotency, "machine_now", lambda: later)
        assert "idempotent-replayed" not in (await client.post(NOTE, json=a_note())).headers


class TestChange:
    async def test_of_another_version_is_412_and_changes_nothing(self, toy: Toy) -> None:
        client = toy.as_("family-practice")
        made = (await client.post(NOTE, json=a_note())).json()
        address = f"{NOTE}/{made['id']}"
        changed = await client.put(address, json=a_note(), headers={"If-Match": 'W/"1"'})
        stale = await client.put(address, json=a_note(status="stopped"), headers={"If-Match": 'W/"1"'})
        assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
        assert stale.status_code == 412
        assert (await client.get(address)).headers["etag"] == 'W/"2"'

    async def test_without_a_version_is_refused(self, toy: Toy) -> None:
        client = toy.as_("family-practice")
        made = (await client.post(NOTE, json=a_note())).json()
        assert (await client.put(f"{NOTE}/{made['id']}", json=a_note())).status_code == 422


REFUSED = [
    pytest.param("POST", NOTE, {"json": a_note()}, None, 401, id="no token"),
    pytest.param("POST", NOTE, {"json": a_note()}, "stranger", 401, id="unknown token"),
    pytest.param("POST", f"{NOTE}/$sum", {"content": b""}, "physiotherapist", 403, id="scope missing"),
    pytest.param("POST", NOTE, {"content": b"{"}, "family-practice", 400, id="no JSON"),
    pytest.param("POST", NOTE, {"content": b"a=b"}, "family-practice", 415, id="content type"),
    pytest.param("POST", NOTE, {"content": b" " * 1_048_577}, "family-practice", 413, id="too large"),
    pytest.param("POST", NOTE, {"json": a_note(status="x")}, "family-practice", 422, id="invalid"),
    pytest.param("GET", f"{NOTE}?colour=red", {}, "family-practice", 400, id="unknown parameter"),
    pytest.param(
        "GET", f"{NOTE}/0191d4b2-7a70-7000-8000-00000000000f", {}, "family-practice", 404, id="none"
    ),
    pytest.param("GET", f"{NOTE}/not-an-id", {}, "family-practice", 404, id="no id"),
]


class TestRefusals:
    @pytest.mark.parametrize(("method", "address", "sent", "party", "status"), REFUSED)
    async def test_say_why_and_write_nothing_but_their_audit(
        self, toy: Toy, method: str, address: str, sent: dict[str, Any], party: str | None, status: int
    ) -> None:
        client = toy.as_(party) if party else toy.anonymous()
        kind = "text/plain" if status == 415 else "application/fhir+json"
        answer = await client.request(method, address, headers={"Content-Type": kind}, **sent)
        assert answer.status_code == status
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert answer.json()["issue"][0]["details"]["text"]
        assert ("www-authenticate" in answer.headers) is (status == 401)
        for table in ("toy_note", "resource_version", "outbox", "idempotency"):
            assert await toy.count(table) == 0
        (audited,) = await toy.audited()
        assert audited["outcome"] == "4"
        known = party if status != 401 else None
        assert audited["client"] == known

    async def test_an_unknown_address_and_method_are_told_as_outcomes(self, toy: Toy) -> None:
        client = toy.as_("family-practice")
        nowhere, wrong = await client.get("/fhir/Nothing"), await client.delete(NOTE)
        assert (nowhere.status_code, wrong.status_code) == (404, 405)
        assert wrong.headers["allow"] == "GET, HEAD, OPTIONS, POST"
        assert "GET, HEAD, OPTIONS, POST" in wrong.json()["issue"][0]["details"]["text"]
        assert nowhere.json()["resourceType"] == wrong.json()["resourceType"] == "OperationOutcome"

    async def test_a_body_is_counted_while_it_comes(self, toy: Toy) -> None:
        taken = []

        async def endless() -> AsyncIterator[bytes]:
            for number in range(400):
                taken.append(number)
                yield b" " * 65536

        answer = await toy.as_("family-practice").post(NOTE, content=endless())
        assert answer.status_code == 413
        assert len(taken) < 20

    async def test_a_unique_value_taken_at_this_moment_is_409(self, toy: Toy) -> None:
        client = toy.as_("family-practice")
        labelled = a_note(identifier=[{"value": "same"}])
        assert (await client.post(NOTE, json=labelled)).status_code == 201
        assert (await client.post(NOTE, json=labelled)).status_code == 409

    async def test_a_character_that_the_database_does_not_know_is_the_callers(self, toy: Toy) -> None:
        client = toy.as_("family-practice")
        searched = await client.get(f"{NOTE}?status=%00")
        sent = await client.post(NOTE, json=a_note(identifier=[{"value": "a\0b"}]))
        assert (searched.status_code, sent.status_code) == (422, 422)

    async def test_a_database_that_does_not_answer_is_503(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nowhere = Database.connect("postgresql://nobody@127.0.0.1:1/nothing", name="nothing")
        monkeypatch.setattr(toy.database, "transaction", nowhere.transaction)
        answer = await toy.as_("family-practice").post(NOTE, json=a_note())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        told = answer.json()
        assert (told["resourceType"], told["id"]) == ("OperationOutcome", answer.headers["x-request-id"])
        assert told["issue"][0]["code"] == "transient"

    async def test_a_full_disk_is_503_and_nothing_was_acknowledged_or_kept(
        self, toy: Toy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def full(*_: object, **__: object) -> None:
            raise asyncpg.DiskFullError("could not extend file")

        client = toy.as_("family-practice")
        with monkeypatch.context() as patched:
            patched.setattr(store, "insert", full)
            answer = await client.post(NOTE, json=a_note())
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert await toy.count("toy_note") == 0
        assert (await client.post(NOTE, json=a_note())).status_code == 201


class TestMetadata:
    async def test_tells_what_the_routes_are_without_a_token(self, toy: Toy) -> None:
        told = (await toy.anonymous().get("/fhir/metadata")).json()
        audit, reasons, resource = told["rest"][0]["resource"]
        assert told["fhirVersion"] == "4.3.0"
        types = (audit["type"], reasons["type"], resource["type"])
        assert types == ("AuditEvent", "CodeSystem", "Communication")
        assert {one["code"] for one in resource["interaction"]} == {
            *("create", "read", "update", "vread", "history-instance", "search-type")
        }
        assert {one["name"] for one in resource["searchParam"]} == {"status", "subject"}
        assert {one["name"] for one in resource["operation"]} == {"explode", "fail-late", "sum"}
        assert json.dumps(told)


def _die(_: object) -> None:
    raise SystemError("killed between commit and answer")
