"""Definitions of operations and of messages: open to everybody, read by id and searched."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from fhir.resources.R4B.messagedefinition import MessageDefinition

from deploy.services import SERVICES
from services.referral.fhir import messages
from shared.fhir.reasons import REASON_SYSTEM
from shared.http.definitions import add_definitions, named
from tests.support.clinic import TestClinic

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("definitions")]

V2 = "http://terminology.hl7.org/CodeSystem/v2-0003"
OPERATIONS = {
    "code=accept&resource=ServiceRequest": {"ServiceRequest-accept"},
    "name=servicerequestacc": {"ServiceRequest-accept"},
    "url=https://lumbar.care/fhir/OperationDefinition/ServiceRequest-accept": {"ServiceRequest-accept"},
    "_id=ServiceRequest-accept,ServiceRequest-decline": {"ServiceRequest-accept", "ServiceRequest-decline"},
    "code=accept&resource=Claim": set[str](),
    "status=draft": set[str](),
}
MESSAGES = {
    f"event={V2}|I12": {"v2-i12"},
    "event=I12": {"v2-i12"},
    "event=http://other.example|I12": set[str](),
    "focus=Communication": {"ereferral-send-communication", "ereferral-send-communication-from-requester"},
    "name=bars": {"bars-servicerequest-request", "bars-servicerequest-response"},
}
CODES = dict.fromkeys(("code", "status", "resource"), "token")
EVENTS = dict.fromkeys(("event", "status", "focus"), "token")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anybody() -> AsyncIterator[httpx.AsyncClient]:
    async with TestClinic() as clinic, clinic.anonymous() as client:
        yield client


async def _found(client: httpx.AsyncClient, path: str) -> set[str]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    ids = {entry["resource"]["id"] for entry in found.get("entry", [])}
    assert found["total"] == len(ids)
    return ids


@pytest.mark.parametrize("query", OPERATIONS)
async def test_an_operation_is_found(anybody: httpx.AsyncClient, query: str) -> None:
    assert await _found(anybody, f"/referral/fhir/OperationDefinition?{query}") == OPERATIONS[query]


@pytest.mark.parametrize("query", MESSAGES)
async def test_a_message_is_found(anybody: httpx.AsyncClient, query: str) -> None:
    assert await _found(anybody, f"/referral/fhir/MessageDefinition?{query}") == MESSAGES[query]


async def test_no_more_come_than_are_asked_for(anybody: httpx.AsyncClient) -> None:
    address = "/referral/fhir/MessageDefinition"
    page = (await anybody.get(f"{address}?_count=2")).json()
    assert (len(page["entry"]), page["total"]) == (2, len(await _found(anybody, address)))
    (following,) = [link["url"] for link in page["link"] if link["relation"] == "next"]
    others = (await anybody.get(following)).json()["entry"]
    assert not {entry["fullUrl"] for entry in others} & {entry["fullUrl"] for entry in page["entry"]}


@pytest.mark.parametrize(
    ("service", "kind", "params"),
    [
        ("scheduling", "Slot", {"schedule": "reference", "start": "date", "status": "token"}),
        ("scheduling", "Schedule", {"actor": "reference"}),
        ("careteam", "Questionnaire", {"url": "uri"}),
        ("referral", "OperationDefinition", {"url": "uri", "name": "string", **CODES}),
        ("referral", "MessageDefinition", {"url": "uri", "name": "string", **EVENTS}),
        ("referral", "Questionnaire", {"url": "uri", "name": "string", "status": "token"}),
        (
            "notifications",
            "CodeSystem",
            {"url": "uri", "name": "string", "version": "token", "status": "token", "code": "token"},
        ),
    ],
)
async def test_what_is_computed_is_searched_by_what_the_statement_and_the_document_name(
    anybody: httpx.AsyncClient, service: str, kind: str, params: dict[str, str]
) -> None:
    statement = (await anybody.get(f"/{service}/fhir/metadata")).json()
    (found,) = [one for one in statement["rest"][0]["resource"] if one["type"] == kind]
    assert {param["name"]: param["type"] for param in found["searchParam"]} == params
    document = (await anybody.get(f"/{service}/openapi.json")).json()
    told = {param["name"] for param in document["paths"][f"/fhir/{kind}"]["get"]["parameters"]}
    assert told == {*params, "_id", "_count", "_total", "_summary", "_elements"}


async def test_a_form_is_read_as_a_query_is(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.post("/referral/fhir/MessageDefinition/_search", data={"event": f"{V2}|I13"})
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["v2-i13"]


@pytest.mark.parametrize("query", ["colour=red", "name:exact=x", "_sort=name", "_lastUpdated=2026"])
async def test_what_is_not_supported_is_refused_or_noted(anybody: httpx.AsyncClient, query: str) -> None:
    path = f"/referral/fhir/MessageDefinition?{query}"
    assert (await anybody.get(path)).status_code == 400
    lenient = await anybody.get(path, headers={"Prefer": "handling=lenient"})
    assert lenient.json()["entry"][-1]["search"]["mode"] == "outcome"


async def test_every_event_that_is_taken_has_a_definition_that_the_statement_names(
    anybody: httpx.AsyncClient,
) -> None:
    statement = (await anybody.get("/referral/fhir/metadata")).json()
    [messaging] = statement["messaging"]
    assert messaging["endpoint"][0]["address"].endswith("/referral/fhir/$process-message")
    supported = [await _definition(anybody, one["definition"]) for one in messaging["supportedMessage"]]
    events = {(one["eventCoding"]["system"], one["eventCoding"]["code"]) for one in supported}
    assert events == {(system, code) for system, code, _ in messages.events()}
    for definition in supported:
        MessageDefinition.model_validate(definition)
        for allowed in definition["allowedResponse"]:
            answer = await _definition(anybody, allowed["message"])
            assert answer["focus"]
            MessageDefinition.model_validate(answer)
    assert "messaging" not in (await anybody.get("/careteam/fhir/metadata")).json()


@pytest.mark.parametrize("service", SERVICES)
async def test_the_reasons_of_all_services_are_read_in_each_with_their_french_sentences(
    anybody: httpx.AsyncClient, service: str
) -> None:
    found = (await anybody.get(f"/{service}/fhir/CodeSystem", params={"url": REASON_SYSTEM})).json()
    [entry] = found["entry"]
    french = {one["code"]: one["designation"][0]["value"] for one in entry["resource"]["concept"]}
    assert french["patient-died"] == "Le patient est décédé."
    assert {"accepted-for", "room-gone", "no-quorum", "left-team"} <= french.keys()
    assert (await anybody.get(f"/{service}/fhir/CodeSystem/reason")).json() == entry["resource"]


@pytest.mark.parametrize(
    "path", ["/CodeSystem/reason", "/CodeSystem?code=state.booked", "/OperationDefinition"]
)
async def test_what_a_caller_keeps_is_not_sent_again(anybody: httpx.AsyncClient, path: str) -> None:
    first = await anybody.get(f"/careteam/fhir{path}")
    assert (first.status_code, first.headers["cache-control"]) == (200, "public, max-age=300")
    again = await anybody.get(
        f"/careteam/fhir{path}", headers={"If-None-Match": f'"other", {first.headers["etag"]}'}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = await anybody.get(f"/careteam/fhir{path}", headers={"If-None-Match": 'W/"other"'})
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_definition_is_made_and_written_when_first_asked_for_and_never_again() -> None:
    made = list[int]()

    def make() -> list[dict[str, Any]]:
        made.append(1)
        return [{"resourceType": "OperationDefinition", "id": "one", "url": "u", "at": len(made)}]

    router = APIRouter()
    params = {"url": named("url", "its URL", kind="uri")}
    add_definitions(router, make, resource_type="OperationDefinition", params=params, why="for a test")
    assert made == []
    app = FastAPI()
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here.test") as http:
        read = [await http.get("/fhir/OperationDefinition/one") for _ in range(2)]
    assert [answer.json()["at"] for answer in read] == [1, 1]
    assert made == [1]


async def test_there_is_no_other(anybody: httpx.AsyncClient) -> None:
    assert (await anybody.get("/referral/fhir/MessageDefinition/nothing")).status_code == 404
    assert (await anybody.get("/referral/fhir/OperationDefinition/nothing")).status_code == 404
    assert (await anybody.get("/referral/fhir/CodeSystem/nothing")).status_code == 404


async def _definition(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    found = (await client.get("/referral/fhir/MessageDefinition", params={"url": url})).json()
    [entry] = found["entry"]
    resource: dict[str, Any] = entry["resource"]
    read = await client.get(f"/referral/fhir/MessageDefinition/{resource['id']}")
    assert read.json() == resource
    return resource
