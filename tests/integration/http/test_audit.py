"""The audit: valid AuditEvents, read by privacy officers and, of their site, by coordinators."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fhir.resources.R4B.auditevent import AuditEvent

from tests.conftest import MakeDatabase
from tests.support.toy import Base, Toy, run_toy

NOTES = "/fhir/Communication"
PATIENT = "0191d4b2-7a70-7000-8000-00000000000a"
OTHER = "0191d4b2-7a70-7000-8000-00000000000b"


@pytest_asyncio.fixture
async def toy(make_database: MakeDatabase) -> AsyncIterator[Toy]:
    toy = await run_toy(await make_database(Base.metadata))
    about = {
        "resourceType": "Communication",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT}"},
    }
    made = await toy.as_("family-practice").post(NOTES, json=about)
    await toy.as_("family-practice").get(f"{NOTES}/{made.json()['id']}")
    await toy.as_("family-practice").get(NOTES, params={"subject": PATIENT})
    await toy.as_("second-practice").get(f"{NOTES}/{made.json()['id']}")
    yield toy


async def read(toy: Toy, *, by: str = "privacy-officer", **params: Any) -> dict[str, Any]:
    answer = await toy.as_(by).get("/fhir/AuditEvent", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def events(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle.get("entry", ())]


def patients(event: dict[str, Any]) -> set[str]:
    named = (entity.get("what", {}).get("reference", "") for entity in event["entity"])
    return {name.removeprefix("Patient/") for name in named if name.startswith("Patient/")}


def query_in(event: dict[str, Any]) -> str:
    (query,) = [entity["query"] for entity in event["entity"] if "query" in entity]
    return b64decode(query).decode()


async def note_about(toy: Toy, patient: str) -> None:
    about = {"resourceType": "Communication", "status": "completed"}
    about["subject"] = {"reference": f"Patient/{patient}"}
    assert (await toy.as_("family-practice").post(NOTES, json=about)).status_code == 201


async def put_site(toy: Toy, patient: str, site: str) -> None:
    async with toy.database.transaction() as tx:
        await tx.run("UPDATE toy_note SET site = $2 WHERE patient_id = $1", patient, site)


class TestAuditEvents:
    async def test_are_valid_and_name_the_balp_pattern(self, toy: Toy) -> None:
        found = events(await read(toy))
        for event in found:
            AuditEvent.model_validate_json(json.dumps(event))
        patterns = [event.get("meta", {}).get("profile", ["none"])[0].rpartition(".")[2] for event in found]
        assert patterns == ["none", "PatientQuery", "PatientRead", "PatientCreate"]

    async def test_tell_who_did_what_by_which_request(self, toy: Toy) -> None:
        (created,) = [one for one in events(await read(toy)) if one["action"] == "C"]
        assert [agent["who"] for agent in created["agent"] if agent["requestor"]] == [
            {"reference": "Organization/family-practice", "display": "Elm Street Family Practice"}
        ]
        assert created["recorded"] == "2026-03-02T13:00:00.000Z"
        kinds = [entity["type"]["code"] for entity in created["entity"]]
        assert kinds == ["1", "2", "XrequestId"]

    async def test_of_refusals_tell_which(self, toy: Toy) -> None:
        refused = events(await read(toy))[0]
        assert (refused["outcome"], refused["outcomeDesc"]) == ("4", "NoSuchResource: not-found")

    async def test_are_found_by_patient_and_date(self, toy: Toy) -> None:
        assert (await read(toy, patient=f"Patient/{PATIENT}"))["total"] == 3
        assert (await read(toy, patient="somebody-else"))["total"] == 0
        assert (await read(toy, date="2026-03-02"))["total"] == 6
        assert (await read(toy, date="lt2026-03-02"))["total"] == 0
        assert (await read(toy, date="gt2026-03-02T13:00:00Z"))["total"] == 0
        beyond = await toy.as_("privacy-officer").get("/fhir/AuditEvent?date=9999-12-31")
        assert (beyond.status_code, beyond.json()["issue"][0]["expression"]) == (422, ["date"])

    async def test_come_in_pages(self, toy: Toy) -> None:
        first = await read(toy, _count="3")
        links = {link["relation"]: link["url"] for link in first["link"]}
        rest = await toy.as_("privacy-officer").get(links["next"].removeprefix("http://clinic.test/toy"))
        seen = [event["id"] for event in (*events(first), *events(rest.json()))]
        assert len(seen) == len(set(seen)) >= 4

    @pytest.mark.parametrize("party", ["family-practice", "workplace-insurer", "physiotherapist", "operator"])
    async def test_are_read_by_nobody_else(self, toy: Toy, party: str) -> None:
        assert (await toy.as_(party).get("/fhir/AuditEvent")).status_code == 403

    @pytest.mark.parametrize(
        "wrong", [{"colour": "red"}, {"date": "soon"}, {"_count": "-1"}, {"_after": "%%"}]
    )
    async def test_refuse_what_they_cannot_be_asked(self, toy: Toy, wrong: dict[str, str]) -> None:
        answer = await toy.as_("privacy-officer").get("/fhir/AuditEvent", params=wrong)
        assert answer.status_code in (400, 422)

    @pytest.mark.parametrize(
        ("asked", "total"),
        [
            ({"agent": "Organization/family-practice"}, 3),
            ({"agent": "family-practice,second-practice"}, 4),
            ({"agent": "Organization/nobody"}, 0),
            ({"type": "rest"}, 4),
            ({"type": "http://terminology.hl7.org/CodeSystem/audit-event-type|rest"}, 4),
            ({"type": "|rest"}, 0),
            ({"type": "login"}, 0),
            ({"date": "ge2026-03-02", "agent": "second-practice"}, 1),
            ({"patient": f"Patient/{PATIENT}", "agent": "Organization/family-practice"}, 3),
            ({"patient:Patient": PATIENT}, 3),
            ({"_sort": "date"}, 4),
            ({"_sort": "agent,-type,patient,-_lastUpdated"}, 4),
            ({"_lastUpdated": "2026-03-02"}, 4),
            ({"outcome": "4"}, 1),
            ({"outcome": "0"}, 3),
            ({"outcome": "http://terminology.hl7.org/CodeSystem/audit-event-outcome|4"}, 1),
            ({"outcome": "4,8"}, 1),
            ({"outcome": "|4"}, 1),
            ({"outcome": "12"}, 0),
            ({"outcome": "4", "agent": "second-practice"}, 1),
            ({"entity": f"Patient/{PATIENT}"}, 3),
            ({"entity": f"Patient/{OTHER}"}, 0),
            ({"entity": "Communication/nobody"}, 0),
        ],
    )
    async def test_are_found_as_other_resources_are(
        self, toy: Toy, asked: dict[str, str], total: int
    ) -> None:
        assert (await read(toy, **asked))["total"] == total

    async def test_are_found_by_the_resource_that_they_are_about(self, toy: Toy) -> None:
        note = next(one["what"] for one in await toy.audited() if one["what"]).partition("/_history")[0]
        assert {one["action"] for one in events(await read(toy, entity=note))} == {"C", "R"}
        address = f"http://clinic.test/toy/fhir/{note}"
        assert (await read(toy, entity=address, outcome="0"))["total"] == 2
        assert (await read(toy, entity=note, outcome="4"))["total"] == 0

    async def test_are_found_by_a_form(self, toy: Toy) -> None:
        form = {"agent": "Organization/family-practice", "patient": f"Patient/{PATIENT}"}
        found = await toy.as_("privacy-officer").post("/fhir/AuditEvent/_search", data=form)
        assert (found.status_code, found.json()["total"]) == (200, 3)

    async def test_declare_what_they_are_asked_by(self, toy: Toy) -> None:
        stated = (await toy.anonymous().get("/fhir/metadata")).json()
        (resource,) = [one for one in stated["rest"][0]["resource"] if one["type"] == "AuditEvent"]
        assert resource["searchParam"] == [
            {"name": "agent", "type": "reference"},
            {"name": "date", "type": "date"},
            {"name": "entity", "type": "reference"},
            {"name": "outcome", "type": "token"},
            {"name": "patient", "type": "reference"},
            {"name": "type", "type": "token"},
        ]
        described = (await toy.anonymous().get("/openapi.json")).json()["paths"]["/fhir/AuditEvent"]["get"]
        assert {"agent", "date", "patient", "type"} <= {one["name"] for one in described["parameters"]}

    @pytest.mark.parametrize("party", ["privacy-officer", "coordinator"])
    async def test_cannot_be_sent(self, toy: Toy, party: str) -> None:
        assert (await toy.as_(party).post("/fhir/AuditEvent", json={})).status_code == 405


class TestWhoseSite:
    async def test_decides_what_a_coordinator_reads(self, toy: Toy) -> None:
        assert (await read(toy, by="coordinator"))["total"] == 0
        await put_site(toy, PATIENT, "toronto")
        found = events(await read(toy, by="coordinator", agent="Organization/family-practice"))
        assert [event["action"] for event in found] == ["E", "R", "C"]
        assert (await read(toy, by="coordinator", agent="second-practice"))["total"] == 0
        await put_site(toy, PATIENT, "elsewhere")
        assert (await read(toy, by="coordinator", patient=PATIENT))["total"] == 0

    async def test_is_the_callers_where_no_patient_is_named(self, toy: Toy) -> None:
        await toy.as_("coordinator").get(f"{NOTES}/0191d4b2-7a70-7000-8000-00000000000f")
        (refused,) = events(await read(toy, by="coordinator", agent="Device/coordinator"))
        assert refused["outcome"] == "4"

    async def test_leaves_out_the_patients_of_another(self, toy: Toy) -> None:
        await note_about(toy, OTHER)
        await put_site(toy, PATIENT, "toronto")
        await put_site(toy, OTHER, "elsewhere")
        await toy.as_("family-practice").get(NOTES, params={"status": "completed"})
        whole = events(await read(toy))[0]
        assert patients(whole) == {PATIENT, OTHER}
        newest = events(await read(toy, by="coordinator", agent="family-practice"))[0]
        assert newest["id"] == whole["id"]
        assert patients(newest) == {PATIENT}
        assert OTHER not in str(newest)
        assert (await read(toy, by="coordinator", patient=OTHER))["total"] == 0


class TestASearch:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_names_every_patient_who_was_returned(self, toy: Toy, method: str) -> None:
        await note_about(toy, OTHER)
        client, asked = toy.as_("family-practice"), {"status": "completed", "_count": "10"}
        if method == "GET":
            await client.get(NOTES, params=asked)
        else:
            await client.post(f"{NOTES}/_search", data=asked)
        newest = events(await read(toy))[0]
        AuditEvent.model_validate_json(json.dumps(newest))
        assert patients(newest) == {PATIENT, OTHER}
        for patient in (PATIENT, OTHER):
            assert newest["id"] in {event["id"] for event in events(await read(toy, patient=patient))}

    async def test_names_no_patient_beyond_the_page(self, toy: Toy) -> None:
        await note_about(toy, OTHER)
        await toy.as_("family-practice").get(NOTES, params={"_count": "1"})
        assert len(patients(events(await read(toy))[0])) == 1

    @pytest.mark.parametrize("prefix", ["", "Patient/"])
    async def test_for_many_patients_at_once_is_answered_and_names_none_who_was_not_found(
        self, toy: Toy, prefix: str
    ) -> None:
        many = ",".join(f"{prefix}{uuid4()}" for _ in range(150))
        answer = await toy.as_("family-practice").get(NOTES, params={"subject": many})
        assert (answer.status_code, answer.json()["total"]) == (200, 0)
        assert patients(events(await read(toy))[0]) == set()

    async def test_by_get_holds_its_whole_query(self, toy: Toy) -> None:
        await toy.as_("family-practice").get(f"{NOTES}?status=completed&subject=Patient/{PATIENT}&_count=3")
        address = f"http://clinic.test{NOTES}?status=completed&subject=Patient/{PATIENT}&_count=3"
        assert query_in(events(await read(toy))[0]) == address

    async def test_by_post_holds_its_form_too(self, toy: Toy) -> None:
        await toy.as_("family-practice").post(
            f"{NOTES}/_search?_count=3", data={"status": "completed", "subject": f"Patient/{PATIENT}"}
        )
        form = f"status=completed&subject=Patient%2F{PATIENT}"
        assert query_in(events(await read(toy))[0]) == f"http://clinic.test{NOTES}/_search?_count=3&{form}"

    async def test_that_is_refused_holds_its_form_too(self, toy: Toy) -> None:
        await toy.as_("family-practice").post(f"{NOTES}/_search", data={"colour": "red"})
        refused = events(await read(toy))[0]
        assert (refused["outcome"], query_in(refused)) == (
            "4",
            f"http://clinic.test{NOTES}/_search?colour=red",
        )

    @pytest.mark.parametrize("address", [NOTES, "/fhir/AuditEvent"])
    async def test_in_no_encoding_is_answered(self, toy: Toy, address: str) -> None:
        sent = httpx.Request("GET", f"http://clinic.test{address}")
        scope_query = b"status=\xff\xfe" if address == NOTES else b"type=\xff\xfe"
        assert await _raw(toy, sent, scope_query) in (200, 422)


async def _raw(toy: Toy, sent: httpx.Request, query: bytes) -> int:
    """Ask with bytes in the address that no HTTP client would send."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": sent.url.path,
        "raw_path": sent.url.raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"clinic.test"), (b"authorization", b"Bearer privacy-officer")],
        "client": ("127.0.0.1", 1),
        "server": ("clinic.test", 80),
    }
    if sent.url.path == NOTES:
        scope["headers"][1] = (b"authorization", b"Bearer family-practice")
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await toy.app(scope, receive, send)
    return statuses[0]
