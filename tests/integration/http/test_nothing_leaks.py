"""A patient's name, planted wherever a client can put it, is in no log line, span, figure or event key."""

import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.telemetry.logging import logger
from tests.conftest import MakeDatabase
from tests.support.redaction import Told, watching
from tests.support.toy import Base, Toy, run_toy

NAME = "Wilhelmína Featherstone-O'Ünal"
NOTES = "/fhir/Communication"


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    yield await run_toy(await make_database(Base.metadata))


@pytest.fixture
def told() -> "object":
    with watching() as told:
        yield told


class TestAPlantedName:
    async def test_leaves_no_trace(self, toy: Toy, told: Told) -> None:
        client = toy.as_("family-practice")
        header = {
            "X-Request-Id": "Featherstone",
            "baggage": "name=Featherstone",
            "Idempotency-Key": "Featherstone",
        }
        note = {"resourceType": "Communication", "status": "completed", "payload": [{"contentString": NAME}]}
        statuses = [
            (await client.post(NOTES, json=note, headers=header)).status_code,
            (await client.post(f"{NOTES}/$explode", json=note, headers=header)).status_code,
            (await client.post(f"{NOTES}/$fail-late", json=note)).status_code,
            (await client.post(NOTES, json=note | {"status": NAME})).status_code,
            (await client.get(NOTES, params={"subject": NAME})).status_code,
            (await client.get(NOTES, params={NAME: NAME})).status_code,
            (await client.get(f"{NOTES}/{NAME}")).status_code,
            (await client.get(f"/fhir/{NAME}")).status_code,
            (await client.request("FEATHERSTONE", NOTES)).status_code,
            (await toy.anonymous(Authorization="Bearer Featherstone").get(NOTES)).status_code,
        ]
        assert 201 in statuses
        assert 500 in statuses
        await told.read([toy.database])
        assert told.log
        assert told.spans.get_finished_spans()
        assert "http_server_request_duration_seconds" in told.figures
        told.must_not_hold("Featherstone", "Wilhelm")

    async def test_would_be_found(self, toy: Toy, told: Told) -> None:
        told.lines.write('{"event": "note.taken", "patient": "Featherstone"}\n')
        with pytest.raises(AssertionError, match="log line"):
            told.must_not_hold("Featherstone")


class TestLog:
    def test_replaces_what_is_no_id_and_drops_what_is_unknown(self, told: Told) -> None:
        logger().info("note.taken", patient="Featherstone", name="Featherstone", state="of Mrs Featherstone")
        (line,) = told.log
        assert (line["event"], line["patient"], line["state"]) == ("note.taken", "[redacted]", "[redacted]")
        assert "name" not in line

    def test_lets_ids_codes_numbers_and_places_through(self, told: Told) -> None:
        patient = "0191d4b2-7a70-7000-8000-00000000000f"
        logger().info("note.taken", patient=patient, event_type="referral.accepted", attempts=3)
        (line,) = told.log
        assert (line["patient"], line["event_type"], line["attempts"]) == (patient, "referral.accepted", 3)

    def test_lets_what_a_worker_says_of_a_failure_through(self, told: Told) -> None:
        told_of = {"error": "ValueError at services/referral/rules.py:41", "ref": "toronto/2026-03-02"}
        logger().error("timer.failed", kind="referral-review", **told_of)
        (line,) = told.log
        assert (line["error"], line["ref"]) == (told_of["error"], told_of["ref"])

    def test_of_libraries_tells_class_and_place_without_their_text(self, told: Told) -> None:
        try:
            raise ValueError("about Featherstone")
        except ValueError:
            logging.getLogger("sqlalchemy.pool").exception("could not save %s", "Featherstone")
            logging.getLogger("uvicorn.error").error(
                "Featherstone", extra={"name_of_patient": "Featherstone"}
            )
        told.must_not_hold("Featherstone")
        first, second = told.log
        assert (first["error"], first["logger"]) == ("builtins.ValueError", "sqlalchemy.pool")
        assert "test_nothing_leaks.py" in first["place"]
        assert second["logger"] == "uvicorn.error"


class TestTrace:
    async def test_has_one_span_a_request_named_by_the_template(self, toy: Toy, told: Told) -> None:
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        answer = await toy.as_("family-practice").get(
            f"{NOTES}/0191d4b2-7a70-7000-8000-00000000000f", headers={"traceparent": parent}
        )
        assert answer.status_code == 404
        (span,) = told.spans.get_finished_spans()
        assert span.name == "toy GET /fhir/Communication/{id}"
        assert f"{span.context.trace_id:032x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert dict(span.attributes or {}) == {
            "http.route": "/fhir/Communication/{id}",
            "http.response.status_code": 404,
            "service": "toy",
        }
